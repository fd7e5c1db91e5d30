"""The metrics aggregator: what all services measure, in one place."""
