"""Functions of PromQL."""
