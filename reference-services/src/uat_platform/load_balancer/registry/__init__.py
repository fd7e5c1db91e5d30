"""Which instances there are: leases, and what is kept of them for the next start."""
