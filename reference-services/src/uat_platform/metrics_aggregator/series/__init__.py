"""Series of samples: their labels, their newest hour, and how they are chosen."""
