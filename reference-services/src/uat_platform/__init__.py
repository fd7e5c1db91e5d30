"""The reference services: one package each, none of which imports another.

Names, ports and what needs what are in `reference-services/stack.toml`.
"""
