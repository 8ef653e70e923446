"""Benchmark of attribution: seeded incidents of an API server, rivals, and their score."""
