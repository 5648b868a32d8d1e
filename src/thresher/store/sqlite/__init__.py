"""The catalog of a directory workspace: one file of SQLite, one module for each part of the contract."""
