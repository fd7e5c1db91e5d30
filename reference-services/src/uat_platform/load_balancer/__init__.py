"""The load balancer: which instances there are, and which one gets a request."""
