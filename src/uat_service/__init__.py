"""A service framework on Litestar, and `uat`, which runs services together on one machine."""
