"""Parts of the question when-visible."""
