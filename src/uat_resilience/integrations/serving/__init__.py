"""What the integrations for servers share: the request that is served, its answer, and what operators ask for."""
