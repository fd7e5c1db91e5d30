"""Which instance gets the next request: the less busy one of two drawn by lot, and none that has just failed.

An instance that cannot be reached is left alone for a second, then two, up to half a minute; so is one that has
failed three times in a row. When more than half of them would be left alone, none is: then it is not they who are
ill.
"""

from collections.abc import Collection, Iterable

from uat_resilience.clock import Clock, default_clock
from uat_service.resolver.instance import Instance

__all__ = ["Instances"]

_IN_A_ROW = 3
_FIRST = 1.0
_LONGEST = 30.0
_KEPT = 1000


class _Record:
    """How one instance has done."""

    __slots__ = ("away_until", "ejections", "failures", "running")

    def __init__(self) -> None:
        self.running = self.failures = self.ejections = 0
        self.away_until = 0.0


class Instances:
    """Choose instances, and remember how they did. Belongs to one event loop.

    Args:
        clock: Time and chance. Default: the replaceable system clock.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}

    def pick(self, known: list[Instance], *, tried: Collection[str] = ()) -> Instance:
        """Return where the next request goes, and count it as running there.

        Args:
            known: The instances there are; at least one.
            tried: Ids of those that had a go at this call: another one is better, if there is any.
        """
        self._forget(known)
        now = self._time().now()
        well = [each for each in known if self._record(each).away_until <= now]
        if len(well) * 2 < len(known):
            well = known
        fresh = [each for each in well if each.id not in tried]
        chosen = self._less_busy(fresh or well)
        self._record(chosen).running += 1
        return chosen

    def over(self, instance: Instance) -> None:
        """Take note that a request does not run there any more."""
        self._record(instance).running -= 1

    def succeeded(self, instance: Instance) -> None:
        """Take note of an answer."""
        record = self._record(instance)
        record.failures = record.ejections = 0

    def failed(self, instance: Instance, *, unreachable: bool = False) -> None:
        """Take note of a failure."""
        record = self._record(instance)
        record.failures += 1
        if unreachable or record.failures >= _IN_A_ROW:
            pause = min(_LONGEST, _FIRST * 2.0 ** min(record.ejections, 10))
            record.away_until = self._time().now() + pause
            record.ejections += 1
            record.failures = 0

    def _less_busy(self, among: list[Instance]) -> Instance:
        one = self._drawn(among)
        others = [each for each in among if each is not one]
        return min(one, self._drawn(others), key=self._load) if others else one

    def _drawn(self, among: list[Instance]) -> Instance:
        """Draw one by lot, by their weights."""
        lot = self._time().random() * sum(each.weight for each in among)
        for each in among:
            lot -= each.weight
            if lot < 0:
                return each
        return among[-1]

    def _load(self, instance: Instance) -> float:
        return self._record(instance).running / instance.weight

    def _record(self, instance: Instance) -> _Record:
        record = self._records.get(instance.id)
        if record is None:
            record = self._records[instance.id] = _Record()
        return record

    def _forget(self, known: Iterable[Instance]) -> None:
        """Drop what is remembered of instances that are gone."""
        if len(self._records) > _KEPT:
            ids = {each.id for each in known}
            records = self._records.items()
            self._records = {id_: each for id_, each in records if id_ in ids or each.running}

    def _time(self) -> Clock:
        return self._clock or default_clock.clock
