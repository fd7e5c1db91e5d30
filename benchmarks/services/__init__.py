"""Services side by side: reverse proxies, and what the framework adds to a request."""
