"""Asking services for their metrics: whom, how often, and how much of an answer is taken."""
