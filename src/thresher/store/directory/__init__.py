"""The embedded store: a directory with a catalog, tar shards of pictures, and columns. It needs no server."""
