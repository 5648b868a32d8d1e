"""The parts of bench/selection.py: pools, the learning phase they share, our certificates, and their rivals."""
