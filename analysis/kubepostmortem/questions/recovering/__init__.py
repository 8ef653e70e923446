"""What recovery took: attempts and outcomes, load after each, and what would have been faster."""
