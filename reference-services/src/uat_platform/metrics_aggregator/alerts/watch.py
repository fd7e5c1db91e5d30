"""Asking the rules' queries, round after round."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from uat_platform.metrics_aggregator.alerts.board import Board
from uat_platform.metrics_aggregator.alerts.rule import Rule
from uat_platform.metrics_aggregator.alerts.webhooks import Webhooks
from uat_platform.metrics_aggregator.promql.engine import Query
from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_platform.metrics_aggregator.promql.values import Vector, is_vector
from uat_platform.metrics_aggregator.querying import Queries
from uat_resilience import BulkheadFullError

__all__ = ["Checked", "Watch"]


@dataclass(frozen=True, slots=True)
class Checked:
    """How the last look at a rule ended.

    Attributes:
        at: When, in seconds since 1970; 0 before the first.
        error: What went wrong, or an empty text.
    """

    at: float = 0.0
    error: str = ""


class Watch:
    """Look at all rules, and tell of what has changed.

    Args:
        rules: The rules.
        queries: Answers them.
        webhooks: Are told.
        now: Returns seconds since 1970.

    Attributes:
        rules: As they were given.
        board: The alerts.
        checked: How the last look ended, by the rule's name.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        queries: Queries,
        webhooks: Webhooks,
        now: Callable[[], float],
    ) -> None:
        self.rules = [*rules]
        self.board = Board()
        self.checked = {rule.name: Checked() for rule in rules}
        self._queries = queries
        self._webhooks = webhooks
        self._now = now

    async def once(self) -> None:
        """Look at all rules once. A rule that fails keeps its alerts as they are."""
        for rule in self.rules:
            now = self._now()
            try:
                vector = await self._vector(rule, now)
            except (QueryError, BulkheadFullError) as error:
                self.checked[rule.name] = Checked(now, str(error))
                continue
            self.checked[rule.name] = Checked(now)
            await self._webhooks.tell(self.board.judge(rule, vector, now))

    async def _vector(self, rule: Rule, now: float) -> Vector:
        at = round(now * 1000)
        query = Query.instant(rule.query, at, limits=self._queries.limits)
        value = (await self._queries.answer(query, now=at)).value
        if isinstance(value, float):
            return [((), value)] if value else []
        return value if is_vector(value) else []
