"""thresher turns a question into a large labelled image dataset, with a certificate."""

__all__ = ["__version__"]

__version__ = "0.1.0"
