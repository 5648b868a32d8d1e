"""Sources of candidates: one file per kind."""
