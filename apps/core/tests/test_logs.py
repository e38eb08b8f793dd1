"""Secrets, phones and codes never reach a log (house rule 19)."""

import pytest

from apps.core.logs import BLOT, redact


def written(**event):
    return redact(None, "info", event)


@pytest.mark.parametrize(
    "event",
    [
        {"phone": "+998901234567"},
        {"event": "code sent to +998901234567"},
        {"event": "998901234567 called"},
        {"who": 998901234567},
        {"code": "123456"},
        {"otp": 1234},
        {"password": "x"},
        {"body": {"inner": {"contact": "@me"}}},
        {"request": "GET /x?hash=abcdef"},
        {"header": "Bearer query_id=1"},
        {"url": "https://api.telegram.org/bot700000001:AAAAAAAAAAAAAAAAAAAAAAAA/getMe"},
        {"jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"},
        {"problem": ValueError("+998901234567 is taken")},
        {"list": ["+998901234567"]},
        {"request": "POST /sms/eskiz/abc-9012345"},
    ],
)
def test_it_is_blotted_out(event):
    (value,) = written(**event).values()
    assert BLOT in repr(value)
    assert "9012345" not in repr(value)


def test_what_operators_need_stays():
    event = {"code": 200, "status_code": 404, "order_id": "abc", "count": 3, "seconds": 0.5, "request": "GET /health"}
    assert written(**event) == event
