"""What passes through the load balancer, and what it asks the hosts itself."""
