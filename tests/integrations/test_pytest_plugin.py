"""The plugin, in test files of its own that pytest runs."""

import subprocess
import sys

import pytest
from tests.pytest_alone import ALONE

from uat_resilience.clock import SystemClock, default_clock
from uat_resilience.switches import switches

pytest_plugins = ["pytester"]

SHOP = """
from uat_resilience import Retry, default_bus

def ask(item):
    return f"{item} costs 3 EUR"

class Prices:
    def of(self, item):
        return ask(item)

    @classmethod
    def known(cls, item):
        return cls.__name__, item

    @staticmethod
    def plain(item):
        return item

@Retry(on=ConnectionError, attempts=3, name="prices")
def price(item):
    return ask(item)
"""


@pytest.fixture
def shop(pytester: pytest.Pytester) -> pytest.Pytester:
    """A directory with a program to be tested."""
    # A name of its own, as the program is imported into this process.
    pytester.makepyfile(**{f"shop_{pytester.path.name}": SHOP})
    pytester.syspathinsert()
    return pytester


def run(shop: pytest.Pytester, test: str, *arguments: str) -> pytest.RunResult:
    """Run a test file to which the program is known as `shop`."""
    name = f"shop_{shop.path.name}"
    head = f"import pytest\nimport {name} as shop\n"
    shop.makepyfile(head + test.replace("'shop.", f"'{name}."))
    return shop.runpytest_inprocess(*ALONE, *arguments)


def test_pauses_move_the_fake_clock_and_take_no_time(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
from uat_resilience import Retry

def test_it(fake_clock):
    tries = []

    def fails_once():
        tries.append(fake_clock.now())
        if len(tries) == 1:
            raise ConnectionError

    Retry(on=ConnectionError, backoff=lambda _: 3600.0).call(fails_once)

    assert len(tries) == 2
    assert fake_clock.sleeps == [tries[1]] != [0.0]
""",
    )

    result.assert_outcomes(passed=1)


def test_clock_is_put_back_after_a_test(shop: pytest.Pytester) -> None:
    result = run(shop, "def test_it(fake_clock):\n    raise RuntimeError\n")

    result.assert_outcomes(failed=1)
    assert isinstance(default_clock.clock, SystemClock)


def test_marker_says_how_the_fake_clock_is_made(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
@pytest.mark.fake_clock(auto=False, start=100.0)
def test_it(fake_clock):
    fake_clock.pausing(5.0)

    assert fake_clock.now() == 100.0
""",
    )

    result.assert_outcomes(passed=1)


def test_hour_on_virtual_time_takes_none(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
import asyncio

def test_it(virtual_time):
    async def main():
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert virtual_time.run(main) == 3600.0
""",
    )

    result.assert_outcomes(passed=1)


def test_events_are_collected_during_the_test_only(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
kept = []

def test_it(resilience_events):
    shop.price("soap")

    assert [type(event).__name__ for event in resilience_events] == ["CallSucceeded"]
    kept.append(resilience_events)

def test_afterwards():
    shop.price("soap")

    assert len(kept[0]) == 1
""",
    )

    result.assert_outcomes(passed=2)


def test_disabled_policies_let_every_call_through(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
from uat_resilience import CircuitBreaker

breaker = CircuitBreaker("db")
breaker.force_open()

def test_it(resilience_disabled):
    assert breaker.call(int) == 0
""",
    )

    result.assert_outcomes(passed=1)
    assert switches.guarding


def test_instant_policies_make_all_attempts_without_pausing(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
from uat_resilience import Retry

def test_it(resilience_instant):
    tries = []

    with pytest.raises(ConnectionError):
        Retry(on=ConnectionError, attempts=3, backoff=lambda _: 3600.0).call(fails, tries)

    assert len(tries) == 3

def fails(tries):
    tries.append(1)
    raise ConnectionError
""",
    )

    result.assert_outcomes(passed=1)
    assert switches.pausing


def test_marker_disturbs_what_it_names_for_one_test(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
@pytest.mark.chaos('shop.ask', fault=ConnectionError, fault_rate=1.0)
def test_it(chaos, resilience_instant):
    with pytest.raises(ConnectionError):
        shop.price("soap")

    assert chaos.snapshot().faults == 3

def test_afterwards():
    assert shop.price("soap") == "soap costs 3 EUR"
""",
    )

    result.assert_outcomes(passed=2)


def test_same_calls_are_disturbed_in_each_run_unless_another_seed_is_given(
    shop: pytest.Pytester,
) -> None:
    result = run(
        shop,
        """
runs = []

def drawn(chaos):
    runs.append([])
    for _ in range(64):
        try:
            chaos.call(int)
            runs[-1].append(True)
        except ConnectionError:
            runs[-1].append(False)

@pytest.mark.parametrize("run", [1, 2])
@pytest.mark.chaos(fault=ConnectionError, fault_rate=0.5)
def test_it(run, chaos):
    drawn(chaos)

@pytest.mark.chaos(fault=ConnectionError, fault_rate=0.5, seed=7)
def test_other(chaos):
    drawn(chaos)

def test_that():
    assert runs[0] == runs[1] != runs[2]
    assert len(set(runs[0])) == 2
""",
    )

    result.assert_outcomes(passed=4)


def test_methods_are_disturbed_as_what_they_are(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
@pytest.mark.chaos('shop.Prices.of', 'shop.Prices.known', 'shop.Prices.plain')
def test_it(chaos):
    assert shop.Prices().of("soap") == "soap costs 3 EUR"
    assert shop.Prices.known("soap") == ("Prices", "soap")
    assert shop.Prices.plain("soap") == "soap"
    assert shop.Prices().plain("soap") == "soap"

    assert chaos.snapshot().calls == 4
""",
    )

    result.assert_outcomes(passed=1)


def test_markers_of_class_and_test_add_up_and_the_nearest_is_the_fixture(
    shop: pytest.Pytester,
) -> None:
    result = run(
        shop,
        """
@pytest.mark.chaos('shop.ask', fault=ConnectionError, fault_rate=1.0)
class TestOutage:
    @pytest.mark.chaos(fault=ValueError, fault_rate=1.0)
    def test_it(self, chaos):
        with pytest.raises(ConnectionError):
            shop.ask("soap")
        with pytest.raises(ValueError):
            chaos.call(int)
""",
    )

    result.assert_outcomes(passed=1)


def test_settings_that_chaos_does_not_take_are_named(shop: pytest.Pytester) -> None:
    result = run(shop, "@pytest.mark.chaos(fault_rate=2.0)\ndef test_it(): ...\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ValueError: fault_rate must be a share from 0 to 1, not 2.0"])


@pytest.mark.parametrize("target", ["'ask'", "5"])
def test_target_that_is_no_dotted_name_is_refused(shop: pytest.Pytester, target: str) -> None:
    result = run(shop, f"@pytest.mark.chaos({target})\ndef test_it(): ...\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"*chaos needs a dotted name such as 'shop.prices.fetch', not {target}"]
    )


@pytest.mark.parametrize("target", ["nowhere.ask", "shop.nothing"])
def test_target_that_is_not_there_is_named(shop: pytest.Pytester, target: str) -> None:
    result = run(shop, f"@pytest.mark.chaos('{target}')\ndef test_it(): ...\n")

    result.assert_outcomes(errors=1)
    named = target.replace("shop.", "shop_*.")
    result.stdout.fnmatch_lines([f"*chaos finds nothing that is called '{named}': *"])


def test_clock_takes_its_settings_by_name(shop: pytest.Pytester) -> None:
    result = run(shop, "@pytest.mark.fake_clock(5.0)\ndef test_it(fake_clock): ...\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*fake_clock takes settings by name, such as start=100.0, not 5.0"]
    )


def test_fixture_without_a_marker_says_what_is_missing(shop: pytest.Pytester) -> None:
    result = run(shop, "def test_it(chaos): ...\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the fixture `chaos` needs a marker: @pytest.mark.chaos(*"])


def test_markers_are_known_where_unknown_ones_are_refused(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        "@pytest.mark.chaos\n@pytest.mark.fake_clock\ndef test_it(): ...\n",
        "--strict-markers",
    )

    result.assert_outcomes(passed=1)


def test_fixture_of_the_same_name_in_a_test_file_wins(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
@pytest.fixture
def fake_clock():
    return "my own"

def test_it(fake_clock):
    assert fake_clock == "my own"
""",
    )

    result.assert_outcomes(passed=1)


def test_plugin_is_loaded_by_pytest_itself_and_can_be_kept_out(shop: pytest.Pytester) -> None:
    shop.makepyfile("def test_it(fake_clock): ...\n")

    loaded = shop.runpytest_inprocess(*ALONE)
    kept_out = shop.runpytest_inprocess(*ALONE, "-p", "no:uat_resilience")

    loaded.assert_outcomes(passed=1)
    kept_out.assert_outcomes(errors=1)
    kept_out.stdout.fnmatch_lines(["*fixture 'fake_clock' not found"])


def test_loading_the_plugin_leaves_the_kit_and_the_policies_for_later() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, uat_resilience.integrations.pytest; print(*sorted(sys.modules))",
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=True,
    )

    ours = [name for name in ended.stdout.split() if name.startswith("uat_resilience")]
    assert ours == [
        "uat_resilience",
        "uat_resilience.homes",
        "uat_resilience.integrations",
        "uat_resilience.integrations.pytest",
    ]
