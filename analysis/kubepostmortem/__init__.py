"""Postmortems of Kubernetes API server overloads, from artifacts alone."""
