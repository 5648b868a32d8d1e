"""The parts of bench/budget.py: pools, crowds, and one run in simulated time."""
