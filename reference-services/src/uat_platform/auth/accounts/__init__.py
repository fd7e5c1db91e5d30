"""People: who they are, what they know, and how often they may be wrong about it."""
