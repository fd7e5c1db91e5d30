"""Keys that sign tokens: published before they are used, and after."""
