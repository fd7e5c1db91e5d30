"""Pure decisions: no clock, lock, thread, task, log or chance inside.

Every module takes `now` (float seconds on any monotonic scale) and random draws as arguments
and returns facts. The policies lock, ask, wait and tell; nothing here does.
"""
