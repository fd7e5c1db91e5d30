"""The gateway's own routes: what it always had, and what its operators need."""
