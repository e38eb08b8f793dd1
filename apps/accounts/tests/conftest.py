"""This app's three doors to the outside, as fakes."""

from __future__ import annotations

import pytest

from apps.integrations.mail import FakeMail
from apps.integrations.ports import port
from apps.integrations.sms import FakeSms
from apps.integrations.telegram import FakeBot


@pytest.fixture
def sms() -> FakeSms:
    return port("sms")  # type: ignore[return-value]


@pytest.fixture
def mail() -> FakeMail:
    return port("mail")  # type: ignore[return-value]


@pytest.fixture
def bot() -> FakeBot:
    return port("bot")  # type: ignore[return-value]
