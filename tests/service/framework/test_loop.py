"""The loop that a service runs on."""

import uvloop
from tests.integrations.server.asking import answering

from uat_resilience import GracefulShutdown
from uat_service.server import Server


def test_uvloop_is_used_where_it_is_installed() -> None:
    server = Server(answering(), shutdown=GracefulShutdown(), delay=0.0, grace=1.0)

    assert server.config.get_loop_factory() is uvloop.new_event_loop
