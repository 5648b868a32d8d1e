"""One verb a stage."""
