"""Where candidates come from: one file a kind of source."""
