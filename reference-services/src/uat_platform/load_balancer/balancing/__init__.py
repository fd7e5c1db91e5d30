"""Which host gets the next request: pure machines, which are told what time it is and what the dice show."""
