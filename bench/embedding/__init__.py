"""Embedding by two builds and by a bare session: what bench/embed.py compares."""
