"""Annotators: their links, and a simulated crowd."""
