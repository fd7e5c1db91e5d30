"""The transports for httpx and httpx2, on pools of httpcore2 that survive cancelled calls."""
