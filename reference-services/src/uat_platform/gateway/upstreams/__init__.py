"""Services behind the gateway: their instances, and what a request goes through on its way to one."""
