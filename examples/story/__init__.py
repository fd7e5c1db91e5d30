"""A story that is played on the whole platform: `make demo`."""
