import time

import pytest
import time_machine
from django.test import RequestFactory

from apps.core.errors import TooMany
from apps.core.testing import outcomes, race
from apps.core.throttle import (
    Limit,
    Slowdown,
    client_address,
    forgive,
    give_back,
    hit,
    neighbourhood,
    slow_down,
    used,
)

LIMIT = Limit(count=3, seconds=60)
SLOW = Slowdown(free=3, longest=4, seconds=3600)


def test_the_fourth_try_waits_for_the_window_to_end():
    with time_machine.travel(1_700_000_020, tick=False):
        assert [hit("t", "ali", LIMIT) for _ in range(3)] == [1, 2, 3]
        with pytest.raises(TooMany) as caught:
            hit("t", "ali", LIMIT)
        assert caught.value.status == 429
        assert caught.value.retry_after == 60 - (1_700_000_020 % 60) + 1
        assert hit("t", "vali", LIMIT) == 1
    with time_machine.travel(1_700_000_100, tick=False):
        assert hit("t", "ali", LIMIT) == 1


def test_a_hit_can_be_given_back():
    for _ in range(3):
        hit("t", "ali", LIMIT)
    give_back("t", "ali", LIMIT)
    assert used("t", "ali", LIMIT) == 2
    assert hit("t", "ali", LIMIT) == 3


def test_a_limit_of_zero_is_no_limit():
    assert [hit("t", "ali", Limit(0, 60)) for _ in range(50)] == [0] * 50


def test_fifty_at_once_get_exactly_the_limit():
    if time.time() % 3600 > 3595:
        time.sleep(6)
    assert outcomes(race(50, lambda _: hit("t", "ali", Limit(20, 3600)))) == {"ok": 20, "TooMany": 30}


def pauses(tries: int) -> list[int]:
    """How long a caller is told to wait at each of so many tries, who then does; 0 is a try that got through."""
    told = []
    with time_machine.travel(1_700_000_000, tick=False) as clock:
        for _ in range(tries):
            try:
                slow_down("t", "ali", SLOW)
                told.append(0)
            except TooMany as refused:
                told.append(refused.retry_after or 0)
                clock.shift(told[-1])
    return told


def test_the_pause_grows_and_ends(settings):
    # Redis keeps its own time, which nobody can travel.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert pauses(11) == [0, 0, 0, 0, 1, 0, 2, 0, 4, 0, 4]


def test_whoever_comes_in_a_pause_waits_and_does_not_make_it_longer():
    for _ in range(4):
        slow_down("t", "ali", SLOW)
    for _ in range(20):
        with pytest.raises(TooMany) as caught:
            slow_down("t", "ali", SLOW)
        assert (caught.value.status, caught.value.retry_after) == (429, 1)
    slow_down("t", "vali", SLOW)
    time.sleep(1.1)
    slow_down("t", "ali", SLOW)


def test_a_forgiven_try_does_not_count():
    for _ in range(20):
        slow_down("t", "ali", SLOW)
        forgive("t", "ali")


def test_nothing_to_forgive_is_no_fault():
    forgive("t", "ali")
    for _ in range(3):
        slow_down("t", "ali", SLOW)


def test_a_slowdown_without_figures_is_none():
    for _ in range(50):
        slow_down("t", "ali", Slowdown(0, 60, 3600))


def test_of_fifty_at_once_the_free_ones_and_one_more_get_through():
    figures = Slowdown(free=3, longest=60, seconds=3600)
    for _ in range(9):
        slow_down("t", "veli", Slowdown(free=9, longest=60, seconds=3600))
    assert outcomes(race(50, lambda _: slow_down("t", "veli", figures))) == {"ok": 1, "TooMany": 49}


@pytest.mark.parametrize(
    ("remote", "forwarded", "seen"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.5", "6.6.6.6", "203.0.113.5"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "6.6.6.6, 127.0.0.1", "6.6.6.6"),
        ("127.0.0.1", "rubbish", "rubbish"),
    ],
)
def test_a_forged_forwarded_header_is_not_believed(remote, forwarded, seen):
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == seen


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("rubbish", "rubbish"),
        ("", ""),
    ],
)
def test_a_customer_with_a_whole_ipv6_network_is_one_customer(address, counted):
    assert neighbourhood(address) == counted
