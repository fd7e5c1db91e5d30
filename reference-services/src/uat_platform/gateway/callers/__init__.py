"""Who a request is from: shown by a token or a key, and told to services in a way they can check."""
