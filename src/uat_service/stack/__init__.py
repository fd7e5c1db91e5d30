"""Run services together on one machine: what `uat` does.

Decisions are made in modules that know no process and no clock: `definition` (what a stack is), `graph` (who needs
whom), `gate` (who may start), `restarts` (what follows an exit), `touching` (what a saved file concerns), `lines`
and `traffic`. The others carry them out.
"""
