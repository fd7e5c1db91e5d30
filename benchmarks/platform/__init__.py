"""Services of the platform when something is wrong: replicas that are ill, and a flood of logins."""
