"""Processors: one job over many items."""

from thresher.compute.local import spread

__all__ = ["spread"]
