"""What the answer about DNS rests on: its outages, its pods, its caches, its load on the API."""
