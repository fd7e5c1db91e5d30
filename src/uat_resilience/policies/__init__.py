"""The policies: each guards a call in sync code, on asyncio and on trio, from one object."""
