"""A workspace as a long run leaves it: a large pool, and the votes of a simulated crowd on a part of it."""
