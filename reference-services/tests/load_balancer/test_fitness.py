"""Who is fit for requests: what ejects a host, what brings it back, and when all rules are off."""

from load_balancer.groups import asked, group, served

from uat_platform.load_balancer.balancing.group import Group
from uat_platform.load_balancer.balancing.host import Host, State
from uat_platform.load_balancer.balancing.rules import Rules


def ejected(hosts: Group, host: Host, now: float = 0.0) -> bool:
    """Let a host fail as often as it takes; return whether it is ejected."""
    for _ in range(hosts.rules.failures_in_a_row):
        served(hosts, host, now=now, failed=True)
    return host.state(now) is State.EJECTED


def test_five_failures_in_a_row_eject_and_a_probe_brings_back() -> None:
    hosts = group(3)
    bad = next(iter(hosts.hosts))
    for _ in range(5):
        served(hosts, bad, now=1.0, failed=True)
    assert bad.state(1.0) is State.EJECTED

    early, risky = hosts.pick(asked(5.9)), hosts.pick(asked(6.1), repeatable=False)
    probe = hosts.pick(asked(6.1))
    ticket = probe.host.begin(6.1, probe=probe.probe)
    second = hosts.pick(asked(6.1))
    hosts.answered(ticket, 6.2, failed=False)
    ticket.host.over(ticket)

    assert early.host is not bad
    assert risky.host is not bad
    assert probe.host is bad
    assert second.host is not bad, "one probe at a time"
    assert bad.state(6.2) is State.FIT


def test_a_probe_that_fails_doubles_the_time_and_one_that_is_left_is_none() -> None:
    hosts = group(2)
    bad = next(iter(hosts.hosts))
    for _ in range(5):
        served(hosts, bad, now=0.0, failed=True)
    left = bad.begin(5.0, probe=True)
    bad.over(left)
    assert bad.outlier.due(5.0, repeatable=True)

    served(hosts, bad, now=5.0, failed=True)

    assert bad.outlier.left(5.0) == 10.0


def test_failed_checks_outrank_the_cap_on_ejections() -> None:
    hosts = group(4, rules=Rules(warm_up=0.0, ejected_at_most=0.25, panic_below=0.0))
    ids = [each.id for each in hosts.hosts]
    for each in list(hosts.hosts)[:1]:
        for _ in range(5):
            served(hosts, each, now=0.0, failed=True)
    for id_ in ids[1:3]:
        hosts.checked(id_, "away", 0.0, certain=True)

    assert [each.id for each in hosts.fit] == ids[3:]
    assert {hosts.pick(asked(seed=i)).host.id for i in range(20)} == {ids[3]}


def test_too_few_that_are_fit_mean_panic_and_all_get_requests() -> None:
    hosts = group(4, "round-robin")
    for each in list(hosts.hosts)[:3]:
        hosts.checked(each.id, "away", 0.0, certain=True)

    assert hosts.panic
    assert {hosts.pick(asked()).host.id for _ in range(4)} == {each.id for each in hosts.hosts}

    hosts.checked(next(iter(hosts.hosts)).id, None, 1.0)
    assert not hosts.panic


def test_no_more_hosts_are_ejected_than_may_be() -> None:
    hosts = group(4, rules=Rules(warm_up=0.0, ejected_at_most=0.5))

    out = [ejected(hosts, each) for each in hosts.hosts]

    assert out == [True, True, False, False]


def test_hosts_whose_checks_fail_take_no_place_of_those_that_may_be_ejected() -> None:
    hosts = group(4, rules=Rules(warm_up=0.0, ejected_at_most=0.5))
    first, second, third, _ = hosts.hosts
    for each in (first, second):
        hosts.checked(each.id, "away", 0.0, certain=True)

    assert ejected(hosts, third)


def test_a_host_that_fails_at_once_does_not_look_quick() -> None:
    hosts = group(2)
    host = next(iter(hosts.hosts))
    served(hosts, host, now=1.0, took=0.5)

    for _ in range(4):
        served(hosts, host, now=1.0, took=0.001, failed=True)
    quick = host.latency.read(1.0)
    served(hosts, host, now=1.0, took=2.0, failed=True)

    assert quick == 0.5
    assert host.latency.read(1.0) == 2.0


def test_a_host_that_is_back_warms_up_again() -> None:
    hosts = group(3, rules=Rules(warm_up=10.0))
    checked, failing, _ = hosts.hosts
    hosts.checked(checked.id, "away", 20.0, certain=True)
    assert ejected(hosts, failing, now=20.0)

    hosts.checked(checked.id, None, 30.0)
    served(hosts, failing, now=30.0)

    assert checked.state(30.0) is failing.state(30.0) is State.WARMING
    assert checked.state(40.0) is failing.state(40.0) is State.FIT


def test_ejections_are_forgiven_after_a_long_good_time() -> None:
    hosts = group(2)
    host = next(iter(hosts.hosts))
    assert ejected(hosts, host)
    served(hosts, host, now=10.0)

    served(hosts, host, now=69.0)
    soon = host.outlier.ejections
    served(hosts, host, now=70.0)
    assert ejected(hosts, host, now=71.0)

    assert soon == 1
    assert host.outlier.left(71.0) == hosts.rules.ejection


def test_a_vague_failure_of_a_check_counts_when_another_follows() -> None:
    hosts = group(2)
    host = next(iter(hosts.hosts))

    def fit_after(*errors: str | None) -> bool:
        for each in errors:
            hosts.checked(host.id, each, 1.0)
        return host.fit

    assert fit_after("no answer in time")
    assert fit_after(None, "no answer in time")
    assert not fit_after("no answer in time")
    assert fit_after(None)
