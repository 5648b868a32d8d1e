"""Asking people: asks, tasks, assignments, the gate, votes."""
