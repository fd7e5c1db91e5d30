"""A misbehaving server, and the same calls to it with and without a pipeline, side by side."""
