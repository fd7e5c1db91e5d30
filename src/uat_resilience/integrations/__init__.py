"""The library where its users already are: one optional library per module, each imported on its own."""
