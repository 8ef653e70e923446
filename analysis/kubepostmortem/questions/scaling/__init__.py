"""How cost grows with the size of a cluster, and where it meets a limit."""
