"""What a process remembers of a category's votes, labels and annotators between two turns."""

from dataclasses import dataclass


@dataclass
class Memory:
    """A category's votes, labels and estimates as a process last read them; empty at first, and then read whole.

    One for each category and process, handed to each function of this package that takes one. Without it they read
    everything, and come to the same.
    """
