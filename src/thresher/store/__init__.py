"""Disks and databases: what every stage reads and writes."""
