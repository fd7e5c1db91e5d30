"""Samples for days: one in ten seconds for hours, one a minute for weeks, in a database."""
