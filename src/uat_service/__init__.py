"""A service framework on Litestar, and `uat`, which runs services together on one machine.

    from uat_service.app import Service

Names are imported from the module they are in: whoever runs services needs no Litestar for it.
"""
