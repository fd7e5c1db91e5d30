"""Queries drawn by lot, from all that our part of PromQL knows."""

import random  # noqa: TID251 - seeded

_SELECTORS = (
    "requests_total",
    'requests_total{method="GET"}',
    'requests_total{status=~"4..|500"}',
    'requests_total{method!="PUT",status!~"2.*"}',
    "temperature",
    'temperature{room=~".*e.*"}',
    "wanted",
    "latency_seconds_bucket",
    "latency_seconds_count",
    '{__name__=~"temperature|wanted"}',
    'nothing{room="attic"}',
)
_RANGES = ("15s", "30s", "1m", "95s", "2m30s", "5m", "7m")
_OVER_TIME = (
    "avg_over_time",
    "changes",
    "count_over_time",
    "delta",
    "deriv",
    "idelta",
    "increase",
    "irate",
    "last_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "rate",
    "resets",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
)
_EACH = (
    "abs",
    "ceil",
    "floor",
    "sgn",
    "sqrt",
    "exp",
    "ln",
    "log2",
    "log10",
    "sin",
    "timestamp",
    "round",
)
_DATES = (
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "year",
)
_AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
_LABELS = ("method", "status", "room", "floor", "le", "job")


class Generator:
    """Draw queries; the same seed draws the same."""

    def __init__(self, seed: int) -> None:
        self._lot = random.Random(seed)

    def query(self) -> str:
        return self._vector(3) if self._lot.random() < 0.95 else self._scalar(2)

    def _pick(self, *of: str) -> str:
        return self._lot.choice(of)

    def _vector(self, depth: int) -> str:  # noqa: C901, PLR0911 - a case for each kind
        if depth == 0:
            return self._selector()
        kind = self._lot.randrange(16)
        if kind < 4:
            return self._over_time(depth)
        if kind < 7:
            return self._aggregation(depth)
        if kind < 9:
            return self._binary(depth)
        if kind == 9:
            return f"{self._pick(*_EACH)}({self._vector(depth - 1)})"
        if kind == 10:
            return self._histogram()
        if kind == 11:
            return self._special(depth)
        if kind == 12:
            return f"-{self._selector()}"
        if kind == 13:
            return f"{self._vector(depth - 1)} {self._operator()} {self._scalar(depth - 1)}"
        if kind == 14:
            return f"{self._scalar(1)} {self._operator()} {self._selector()}"
        return self._selector()

    def _selector(self) -> str:
        return self._pick(*_SELECTORS) + self._moment()

    def _moment(self) -> str:
        return self._pick(
            *[""] * 7,
            " offset 1m",
            " offset -45s",
            " offset 6m",
            " @ end()",
            " @ start() offset 1m",
        )

    def _over_time(self, depth: int) -> str:
        if self._lot.random() < 0.2:
            inner = f"{self._vector(depth - 1)}"
            span = f"({inner})[{self._pick('2m', '5m')}:{self._pick('', '15s', '40s')}]"
        else:
            span = f"{self._pick(*_SELECTORS)}[{self._pick(*_RANGES)}]"
        span += self._moment()
        kind = self._lot.randrange(len(_OVER_TIME) + 4)
        if kind < len(_OVER_TIME):
            return f"{_OVER_TIME[kind]}({span})"
        return (
            f"quantile_over_time({self._pick('0.5', '0.9', '1.2', '-1')}, {span})",
            f"predict_linear({span}, {self._pick('60', '-30', '3600')})",
            f"holt_winters({span}, 0.3, {self._pick('0.1', '0.8')})",
            f"absent_over_time({span})",
        )[kind - len(_OVER_TIME)]

    def _aggregation(self, depth: int) -> str:
        inner = self._vector(depth - 1)
        grouping = self._pick(
            "", f"by ({self._labels()})", f"without ({self._labels()})", f"by ({self._labels()})"
        )
        kind = self._lot.randrange(12)
        if kind < 8:
            return f"{_AGGREGATIONS[kind]} {grouping} ({inner})"
        if kind == 8:
            return f"quantile {grouping} ({self._pick('0', '0.25', '0.99', 'NaN')}, {inner})"
        if kind == 9:
            return f'count_values {grouping} ("worth", {self._selector()})'
        # Among equals it is nobody's promise who comes first, so there are no equals here.
        few, of = self._lot.randrange(4), f"temperature{self._moment()}"
        return f"{self._pick('topk', 'bottomk')} {grouping} ({few}, {of})"

    def _labels(self) -> str:
        return ", ".join(self._lot.sample(_LABELS, self._lot.randrange(3)))

    def _operator(self) -> str:
        return self._pick(
            "+",
            "-",
            "*",
            "/",
            "%",
            "^",
            "atan2",
            "==",
            "!=",
            ">",
            "<",
            ">= bool",
            "<= bool",
            "== bool",
        )

    def _binary(self, depth: int) -> str:  # noqa: PLR0911 - a case for each kind
        kind = self._lot.randrange(6)
        left, right = self._vector(depth - 1), self._vector(depth - 1)
        if kind == 0:
            return f"({left}) {self._pick('and', 'or', 'unless')} {self._on()} ({right})"
        if kind == 1:
            return f"({left}) {self._operator()} {self._on()} ({right})"
        if kind == 2:
            return f"temperature {self._operator()} on (room) wanted"
        if kind == 3:
            return f"temperature {self._operator()} ignoring (floor) wanted{self._moment()}"
        if kind == 4:
            one = f"sum by (method) (requests_total{self._moment()})"
            many = f"requests_total{self._moment()}"
            if self._lot.random() < 0.5:
                return f"{many} {self._operator()} on (method) group_left (room) {one}"
            return f"{one} {self._operator()} on (method) group_right () {many}"
        return f"temperature {self._operator()} on (room) group_left (job) wanted"

    def _on(self) -> str:
        return self._pick("", "", f"on ({self._labels()})", f"ignoring ({self._labels()})")

    def _histogram(self) -> str:
        rank = self._pick("0", "0.5", "0.9", "0.99", "1", "2", "-1", "NaN")
        inner = self._pick(
            f"latency_seconds_bucket{self._moment()}",
            f"rate(latency_seconds_bucket[{self._pick(*_RANGES)}])",
            "sum by (le) (rate(latency_seconds_bucket[5m]))",
            "requests_total",
        )
        return f"histogram_quantile({rank}, {inner})"

    def _special(self, depth: int) -> str:
        inner = self._vector(depth - 1)
        return self._pick(
            f"clamp({inner}, 2, {self._pick('50', '1')})",
            f"clamp_min({inner}, 10)",
            f"clamp_max({inner}, 10)",
            f"round({inner}, {self._pick('0.1', '5', '0')})",
            f"absent({inner})",
            f"vector({self._scalar(1)})",
            f"{self._pick(*_DATES)}({self._pick('', 'vector(time() * 3)', inner)})",
            f'label_replace({inner}, "place", "$1-$2", "room", "(.)(.*)")',
            f'label_join({inner}, "all", "/", "method", "room", "status")',
            f"sort({inner})",
            f"sort_desc({inner})",
        )

    def _scalar(self, depth: int) -> str:
        kind = self._lot.randrange(7)
        if kind == 0 and depth:
            return f"scalar({self._pick('sum(wanted)', 'wanted')})"
        if kind == 1 and depth:
            sign = self._pick("+", "-", "*", "/", "%", "^", "> bool")
            return f"({self._scalar(depth - 1)} {sign} {self._scalar(depth - 1)})"
        if kind == 2:
            return self._pick("time()", "pi()", "Inf", "NaN", "-1", "0x10", "1e3")
        return self._pick("0", "1", "2", "0.5", "7", "100", "-3.25")
