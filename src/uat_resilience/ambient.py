"""What a call inherits from the calls around it: a deadline, who owns the retries, the drain signal.

All of it travels in context variables: into tasks, `asyncio.to_thread` and anyio's threads, and not into
bare threads or executors.
"""

from abc import abstractmethod
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Generic, TypeVar

from uat_resilience._core.priority_slots import Priority
from uat_resilience.clock import Clock

__all__ = [
    "Deadline",
    "DrainSignal",
    "EnforcedDeadline",
    "RetryLedger",
    "checked_priority",
    "current_deadline",
    "current_drain",
    "current_ledger",
    "current_priority",
    "priority",
    "put_back",
    "remaining",
    "retries_owned",
    "single_try",
]

V = TypeVar("V")


class Deadline:
    """A point in time on one clock, and the task that is cut at it (None: nobody is).

    `task` is the task whose body a running cancel scope ends at `until`. A task that merely inherited the
    deadline is not cut by it, so policies in there keep the time themselves. `policy` and `after` say whose
    deadline it is, and how many seconds it gave: they are what a `TimedOutError` tells.
    """

    __slots__ = ("after", "clock", "policy", "task", "until")

    def __init__(
        self, clock: Clock, until: float, *, policy: str, after: float, task: object = None
    ) -> None:
        self.clock = clock
        self.until = until
        self.policy = policy
        self.after = after
        self.task = task

    def remaining(self) -> float:
        """Return seconds left, below 0 once it has passed."""
        return self.until - self.clock.now()


class EnforcedDeadline(Deadline):
    """A deadline that cuts a running task, entered by one of the async worlds.

    Attributes:
        fired: True once it has passed before it was left.
    """

    __slots__ = ("fired",)
    fired: bool

    @abstractmethod
    def leave(self, error: BaseException | None) -> bool:
        """End it; True when `error` is what the deadline itself threw into the task."""


class DrainSignal:
    """Tells pauses that the service shuts down: waiting for a retry is pointless now.

    `set()` may be called from any thread; each pause subscribes what wakes it.
    """

    __slots__ = ("_wakers", "is_set")

    def __init__(self) -> None:
        self._wakers: dict[object, Callable[[], object]] = {}
        self.is_set = False

    def set(self) -> None:
        """Wake every pause, now and from now on."""
        self.is_set = True
        for wake in list(self._wakers.values()):
            wake()

    def renew(self) -> None:
        """Be as new: nothing is set, and nobody pauses."""
        self._wakers.clear()
        self.is_set = False

    def subscribe(self, wake: Callable[[], object]) -> Callable[[], object]:
        """Call `wake` when the signal is set, or at once if it is; return what ends that."""
        key = object()
        self._wakers[key] = wake
        if self.is_set:
            wake()
        return lambda: self._wakers.pop(key, None)


class RetryLedger:
    """Takes note that a retry has used up its tries, for whoever answers the request they were made for.

    Attributes:
        spent: True once further tries would only repeat what was tried in here.
    """

    __slots__ = ("spent",)

    def __init__(self) -> None:
        self.spent = False


current_deadline: ContextVar[Deadline | None] = ContextVar("uat_deadline", default=None)
current_drain: ContextVar[DrainSignal | None] = ContextVar("uat_drain", default=None)
current_ledger: ContextVar[RetryLedger | None] = ContextVar("uat_retry_ledger", default=None)
_priority: ContextVar[Priority] = ContextVar("uat_priority", default=Priority.NORMAL)
retries_owned: ContextVar[bool] = ContextVar("uat_single_try", default=False)


def put_back(variable: ContextVar[V], token: Token[V]) -> None:
    """Undo a `set`, where that was made in this context.

    A block may end in another: an async generator is closed by a task of the event loop's, and an abandoned
    coroutine by the garbage collector. Nothing is set there.
    """
    try:  # noqa: SIM105 - `suppress` takes three times as long
        variable.reset(token)
    except ValueError:
        pass


def current_priority() -> Priority:
    """Return how much the calls made here matter: `NORMAL`, unless a `priority` block says otherwise."""
    return _priority.get()


class _Block(Generic[V]):
    """A block in which a context variable has another value, `with` or `async with`."""

    __slots__ = ("_token", "_value", "_variable")

    def __init__(self, variable: ContextVar[V], value: V) -> None:
        self._variable = variable
        self._value = value

    def __enter__(self) -> None:
        self._token: Token[V] = self._variable.set(self._value)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        put_back(self._variable, self._token)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)


class priority(_Block[Priority]):  # noqa: N801 - reads as a block, like `deadline`
    """Say how much the calls inside the block matter, to limiters and load shedders.

    One object is for one block, `with` or `async with`, left in the task that entered it. Carried like a deadline.

    Args:
        level: `Priority.CRITICAL`, `HIGH`, `NORMAL`, `LOW` or `BACKGROUND`.

    Raises:
        TypeError: `level` is no `Priority`.
    """

    __slots__ = ()

    def __init__(self, level: Priority) -> None:
        super().__init__(_priority, checked_priority("level", level))


def checked_priority(argument: str, value: object) -> Priority:
    """Return a priority, and nothing that merely is a number."""
    if not isinstance(value, Priority):
        raise TypeError(f"{argument} must be a Priority, not {value!r}")
    return value


def remaining() -> float | None:
    """Return the seconds left of the tightest deadline around this call, or None without one.

    May be 0 or less in sync code, where a running call is not cut.
    """
    deadline = current_deadline.get()
    return None if deadline is None else deadline.remaining()


class single_try(_Block[bool]):  # noqa: N801 - reads as a block, like `deadline`
    """Make every `Retry` inside the block call once: the caller owns the retries.

    Server integrations open it when a request says that its sender retries; nested retries multiply.
    One object may be used for one block at a time, `with` or `async with`.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(retries_owned, True)  # noqa: FBT003 - the value of the variable
