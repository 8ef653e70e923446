"""What inflight-limits and priority-and-fairness share: who was refused, policies tried, trust."""
