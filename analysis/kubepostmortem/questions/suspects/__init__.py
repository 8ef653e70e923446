"""Releases as suspects, and the signs for and against each: helpers of which-deploy."""
