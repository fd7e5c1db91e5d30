"""Load balancers side by side, on replicas that are ill in different ways."""
