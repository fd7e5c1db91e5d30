"""The API gateway: one door in front of all services."""
