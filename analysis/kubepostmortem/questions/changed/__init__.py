"""What requests of a cause changed to: helpers of the question what-changed."""
