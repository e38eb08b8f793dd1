"""The standing people: client Aziz, executors Bek, Dina and Emil with money, stranger Farid; how to call as them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.money import Money
from apps.integrations.telegram import sign_init_data
from apps.ledger import actions as ledger
from apps.ledger import queries as ledger_queries
from apps.payments.models import Payment
from apps.urgent import conf
from apps.urgent.actions import orders, takes
from apps.urgent.models import City, Invoice, Member, Order
from apps.urgent.queries import balance as queries
from apps.urgent.queries import cities

AZIZ, BEK, DINA, EMIL, FARID = 500_000_001, 500_000_002, 500_000_003, 500_000_004, 500_000_005
FAR_AWAY_ID = 2**51 + 7
"""Telegram ids need more than 32 bits."""

CITY = "Москва"
DESCRIPTION = "Течёт кран на кухне, нужен мастер сегодня"
CONTACT = "+7 (916) 123-45-67"


def member(telegram_id: int, first_name: str = "Aziz", *, roubles: int = 0, **person: Any) -> Member:
    """A member with money on the balance."""
    user = User.objects.create_user(telegram_id=telegram_id, first_name=first_name, **person)
    found = Member.objects.create(pk=telegram_id, user=user)
    if roubles:
        top_up(found, roubles)
    return found


def staff() -> User:
    """A superuser of the back office."""
    return User.objects.create_superuser(username=f"staff-{uuid4().hex[:8]}", password="irrelevant-here")


def top_up(to: Member, roubles: int) -> None:
    """Money from nowhere in particular."""
    ledger.post(
        by=None,
        holder=to.user,
        book=conf.BOOK,
        amount=Money(roubles, conf.CURRENCY),
        key=f"test:{uuid4()}",
        reason="recharge",
        house="urgent:topup:dev",
    )


def balance(of: Member) -> int:
    """Whole roubles."""
    return int(ledger_queries.balance(of.user, conf.BOOK, conf.CURRENCY))


def words(**changes: Any) -> dict[str, Any]:
    """A valid order."""
    return {"category": "Сантехника", "description": DESCRIPTION, "city": CITY, "contact": CONTACT, **changes}


def place(by: Member, *, minutes_ago: int = 0, **changes: Any) -> Order:
    """An order, posted some minutes ago."""
    given = words(**{"contact": f"@client_{uuid4().hex[:10]}", **changes})
    if City.objects.get_or_create(name=given["city"])[1]:
        cities.forget()
    return orders.place(by=by, now=timezone.now() - timedelta(minutes=minutes_ago), **given)


def take(by: Member, order: Order, *, minutes_ago: int = 0) -> takes.Taken:
    """A take, some minutes ago."""
    return takes.take(by=by, order_id=order.pk, now=timezone.now() - timedelta(minutes=minutes_ago))


def payment(invoice: Invoice) -> Payment:
    """The payment of a top-up, as it stands now."""
    return queries.payment_of(invoice)


def init_data(telegram_id: int, first_name: str = "Aziz", *, auth_date: datetime | None = None, **more: Any) -> str:
    """What Telegram gives to the Mini App of this person."""
    person = {"id": telegram_id, "first_name": first_name, **more}
    return sign_init_data(settings.INTEGRATIONS.telegram_bot_token, person, auth_date or timezone.now())


class Caller:
    """A person with a phone: every call carries JSON's content type and, unless anonymous, a fresh initData."""

    def __init__(self, member: Member | None = None, *, token: str = "", base: str = "/urgent") -> None:
        self.base = base
        self.token = token or (init_data(member.pk, member.user.first_name) if member else "")
        self._client = Client()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        )
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}", **headers}
        answer: HttpResponse = self._client.generic(
            method, f"{self.base}/api/{path}", raw, content_type="application/json", headers=headers
        )
        return answer

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None) -> HttpResponse:
        return self("POST", path, body)

    def put(self, path: str, body: Any) -> HttpResponse:
        return self("PUT", path, body)

    def delete(self, path: str) -> HttpResponse:
        return self("DELETE", path)


def signed(person: dict[str, Any]) -> str:
    """initData that is genuinely signed for whatever stands in `user`."""
    return sign_init_data(settings.INTEGRATIONS.telegram_bot_token, person, timezone.now())
