"""What the evidence says of flow control, as values that it can be simulated with."""
