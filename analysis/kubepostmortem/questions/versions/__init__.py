"""Which versions ran in a cluster: programs, builds, skew, support and features."""
