"""People: links, and a simulated crowd."""
