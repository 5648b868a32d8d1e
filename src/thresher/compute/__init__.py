"""Processors: one job over many items."""
