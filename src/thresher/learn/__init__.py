"""From labels to decisions: backbones, embeddings, classifiers (heads), thresholds."""
