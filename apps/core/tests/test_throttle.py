import time

import pytest
import time_machine
from django.test import RequestFactory

from apps.core.errors import TooMany
from apps.core.testing import outcomes, race
from apps.core.throttle import Limit, client_address, give_back, hit, neighbourhood, used

LIMIT = Limit(count=3, seconds=60)


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
