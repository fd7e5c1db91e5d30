"""One page on which people see how the services are."""
