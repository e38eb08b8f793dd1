"""The standing people: manager Malika, waiters Vali and Umid, guests Gulnora (Vali's) and Jasur (nobody's)."""

from __future__ import annotations

import itertools
import json
import re
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.test import Client as Http

from apps.integrations.ports import port
from apps.loyalty.actions import cashback, clients, doors, staff
from apps.loyalty.actions.cashback import Told
from apps.loyalty.models import CashbackTransaction, Client, Staff

PASSWORD = "a good password 1"
PHONES = {
    "malika": "+998901110001",
    "vali": "+998901110002",
    "umid": "+998901110003",
    "gulnora": "+998901110004",
    "jasur": "+998901110005",
    "newcomer": "+998901110009",
}
NOWHERE_PHONE = "+998901119999"
"""Nobody registered with it."""

Kind = CashbackTransaction.Kind
_keys = itertools.count(1)


def manager(name: str = "Malika", phone: str = PHONES["malika"]) -> Staff:
    """Somebody who may do everything here."""
    return staff.hire(by=None, name=name, phone=phone, password=PASSWORD, role=Staff.Role.MANAGER)


def waiter(name: str = "Vali", phone: str = PHONES["vali"], code: str = "VALI01", **more: Any) -> Staff:
    """Somebody who brings guests."""
    return staff.hire(by=None, name=name, phone=phone, password=PASSWORD, referral_code=code, **more)


def guest(name: str = "Gulnora", phone: str = PHONES["gulnora"], *, of: Staff | None = None, **fields: Any) -> Client:
    """Somebody who registered; `fields` are written as they are."""
    found = clients.register(phone=phone, name=name, waiter=of)
    if fields:
        Client.objects.filter(pk=found.pk).update(**fields)
    return Client.objects.select_related("user", "purse").get(pk=found.pk)


def earn(client: Client, amount: int | str, *, by: Staff | None = None, **more: Any) -> CashbackTransaction:
    """Cashback that a manager (or nobody) gives."""
    return cashback.add(by=by, client_id=client.pk, amount=Decimal(amount), **more)


def iiko(client: Client, amount: int | str, kind: Kind = Kind.ACCRUAL, **more: Any) -> CashbackTransaction:
    """A movement that the restaurant's system reports; a key of its own unless given."""
    key = more.pop("key", f"event-{next(_keys)}")
    return cashback.apply_iiko_change(
        client_id=client.pk, amount=Decimal(amount), key=key, told=Told(kind=kind), **more
    )


def balance(client: Client) -> Decimal:
    """What the purse holds now."""
    return Client.objects.select_related("purse").get(pk=client.pk).balance


def texted_code() -> str:
    """The digits of the newest text message."""
    found: list[str] = re.findall(r"\b(\d{4,8})\b", port("sms").sent[-1].text)
    return found[0]


class Caller:
    """Calls as somebody; JSON, a fresh bearer token unless anonymous."""

    def __init__(
        self, member: Client | Staff | None = None, *, token: str = "", base: str = "/loyalty", address: str = ""
    ) -> None:
        self.base = base
        self.token = token or (doors.open_session(member).access if member else "")
        self.client = Http(**({"REMOTE_ADDR": address} if address else {}))

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}", **headers}
        answer: HttpResponse = self.client.generic(
            method, f"{self.base}/api/v1/{path}", raw, content_type="application/json", headers=headers
        )
        return answer

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any) -> HttpResponse:
        return self("PUT", path, body)

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self("PATCH", path, body)

    def delete(self, path: str) -> HttpResponse:
        return self("DELETE", path)
