"""Who depends on the API server: how each component fared, what stopped, what a store saves."""
