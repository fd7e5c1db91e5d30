"""The aggregator with a fleet and its past: `python -m uat_service.serve showing:service`."""

from contextlib import ExitStack

from fleet import CALLS, Walk, shown

from uat_platform.metrics_aggregator.app import served
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.scraping.ledger import Ledger
from uat_platform.metrics_aggregator.settings import MetricsSettings
from uat_resilience.clock import wall_time

PAST = 1_000
STEP = 10
DOWN = "legacy-bridge"

_now = wall_time()
_ends = ExitStack()
_walks = {name: Walk(name, (_now - 420, _now + 300)) for name in CALLS}
_ports = {name: _ends.enter_context(shown(walk, wall_time)) for name, walk in _walks.items()}
_ports[DOWN] = 1  # Where nobody listens.

_targets = ",".join(f"{name}=127.0.0.1:{port}" for name, port in _ports.items())
_settings = MetricsSettings.read("metrics-aggregator").model_copy(
    update={"scrape_targets": _targets, "load_balancer_url": "none"}
)
_parts = Parts(_settings)
for _name, _walk in _walks.items():
    _ledger = Ledger(
        _parts.memory, {"job": _name, "instance": f"127.0.0.1:{_ports[_name]}"}, 10_000
    )
    for _back in range(PAST, 0, -STEP):
        _at = _now - _back
        _taken = _ledger.begin()
        for _line in _walk.page(_at).splitlines():
            _ledger.line(_line, round(_at * 1000), _taken)

service = served(_parts)
service.shutdown.on_close(_ends.close)
