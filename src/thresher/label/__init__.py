"""Asking people: asks, tasks, assignments, the check against gold (gate), votes."""
