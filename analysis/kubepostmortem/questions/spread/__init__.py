"""How calls spread over nodes: helpers of the question why-nodes."""
