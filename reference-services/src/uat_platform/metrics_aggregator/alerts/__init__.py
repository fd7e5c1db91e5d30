"""Rules that say when somebody should look, and who is told."""
