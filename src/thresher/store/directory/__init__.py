"""The embedded store: a directory with a catalog, tar shards of images, and columns. It needs no server."""
