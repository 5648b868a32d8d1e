"""A category, frozen and exported."""
