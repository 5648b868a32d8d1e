"""The mathematics of thresholds and certificates, pure: no I/O."""
