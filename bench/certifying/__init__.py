"""The parts of bench/certify.py."""
