"""What the load balancer can be asked."""
