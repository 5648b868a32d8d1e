"""From labels to decisions: backbone, features, head, thresholds."""
