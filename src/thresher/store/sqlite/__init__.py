"""The catalog of a directory workspace: one SQLite file, one module for each part of the contract."""
