"""Candidates into a pool."""
