"""What API Priority and Fairness and the in-flight limits do to given requests."""
