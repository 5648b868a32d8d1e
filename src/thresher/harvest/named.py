"""The names of a source's files, to be found by what labels call them (annotations/named.py)."""

from thresher.annotations.named import SHA256, Names

__all__ = ["SHA256", "Names"]
