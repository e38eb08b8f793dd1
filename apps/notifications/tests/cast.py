"""The people of these tests, and vendors that do what they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.integrations import ports
from apps.integrations.ports import PushTarget, SmsReceipt
from apps.notifications import channels

PRODUCT = "bazaar"
"""A product of the tests alone."""


class Office:
    """All vendors in one: keeps what was handed over; `trouble` holds what the next calls raise."""

    sent: list[tuple[str, Any, str]] = []  # noqa: RUF012 – shared on purpose: every port is the same office
    trouble: list[Exception] = []  # noqa: RUF012

    def _take(self, channel: str, to: Any, text: str) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append((channel, to, text))


class SmsOffice(Office):
    def send(self, *, to: str, text: str, reference: str = "") -> SmsReceipt:
        self._take("sms", to, text)
        return SmsReceipt(vendor_id="sms-1")


class MailOffice(Office):
    def send(self, *, to: str, subject: str, text: str, html: str = "") -> None:
        self._take("mail", to, f"{subject}|{text}")


class BotOffice(Office):
    def send_message(self, *, chat_id: int, text: str, button: tuple[str, str] | None = None) -> int:
        self._take("bot", chat_id, text if button is None else f"{text}|{button[0]}|{button[1]}")
        return 77


class PushOffice(Office):
    def send(self, *, target: PushTarget, title: str, body: str, payload: Mapping[str, Any] | None = None) -> None:
        self._take("push", target.token or target.endpoint, f"{title}|{body}")


HERE = "apps.notifications.tests.cast"


@pytest.fixture
def office(settings: Any) -> Iterator[type[Office]]:
    """Every port leads here."""
    names = {
        "sms": "SmsOffice",
        "mail": "MailOffice",
        "bot": "BotOffice",
        "push": "PushOffice",
        "web_push": "PushOffice",
    }
    settings.PORTS = {name: f"{HERE}.{office}" for name, office in names.items()}
    ports.reset()
    Office.sent.clear()
    Office.trouble.clear()
    yield Office
    ports.reset()


def person(name: str = "aida", **fields: Any) -> User:
    """Aida can be reached in every way; `fields` take some away."""
    number = sum(ord(sign) * 31**place for place, sign in enumerate(name)) % 10_000_000
    given = {
        "username": name,
        "language": "en",
        "phone": f"+99890{number:07d}",
        "email": f"{name}@example.org",
        "email_verified_at": timezone.now(),
        "telegram_id": 5_000_000_000 + number,
        "can_message_bot": True,
    }
    return User.objects.create_user(**{**given, **fields})


def named(facts: Mapping[str, Any]) -> QuerySet[User]:
    """A segment: people whose sign-in name begins with `prefix`."""
    return User.objects.filter(username__startswith=facts.get("prefix", ""))


channels.register_kind("sale", ("inbox", "socket", "bot"), _("Sale"), product=PRODUCT)
channels.register_kind("alarm", ("sms", "push"), _("Alarm"), product=PRODUCT, rings_at_night=True)
channels.register_kind("letter", ("inbox", "mail"), _("Letter"), product=PRODUCT)
channels.register_segment("named", _("By name"), named, product=PRODUCT)
