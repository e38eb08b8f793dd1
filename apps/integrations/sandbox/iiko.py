"""An iiko that keeps guests, purses and cards, forgets tokens, goes down, and posts notices twice or mixed up."""

from __future__ import annotations

import hmac
import json
import random
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox.vendor import (
    Body,
    Bounded,
    Control,
    ControlRefused,
    Notice,
    Vendor,
    parameters,
    whole,
    word,
)

BONUS = 1
MOST_IN_A_STORM = 500
PATHS = re.compile(r"/api/1/(?:loyalty/iiko/)?(?P<call>[a-z_/]+?)/?$")
PROFILE = {
    "name": "name",
    "surName": "surname",
    "surname": "surname",
    "middleName": "middleName",
    "fullName": "fullName",
    "birthday": "birthday",
    "sex": "sex",
    "email": "email",
    "comment": "comment",
}
"""What may be written → how it is read back: the vendor spells the surname in two ways."""
SPENDING = "PayFromWallet"


@dataclass
class Person:
    """One guest."""

    id: str
    phone: str
    wallet_id: str
    balance: Decimal = Decimal("0.00")
    is_deleted: bool = False
    profile: dict[str, Any] = field(default_factory=dict)
    cards: list[dict[str, str]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """`customer/info`."""
        return {
            "id": self.id,
            "phone": self.phone,
            "name": None,
            "surname": None,
            "middleName": None,
            "birthday": None,
            "email": None,
            "sex": 0,
            **self.profile,
            "isDeleted": self.is_deleted,
            "cards": self.cards,
            "categories": [{"id": known, "name": known, "isActive": True} for known in self.categories],
            "walletBalances": [
                {"id": self.wallet_id, "name": "Bonus", "type": BONUS, "balance": float(self.balance)},
            ],
        }


class FakeIikoCloud(Vendor):
    """iiko Cloud for one organisation, the configured one."""

    name: ClassVar[str] = "iiko"

    def forget(self) -> None:
        self.people: dict[str, Person] = Bounded()
        self.tokens: dict[str, float] = Bounded()
        self.token_seconds = 3600
        self.sign_ins = 0
        self.down_until = 0.0

    # The API

    def answer(self, asked: Asked) -> Reply:
        if time.monotonic() < self.down_until:
            return self.failure(503, None)
        found = PATHS.search(asked.path)
        call, body = (found["call"] if found else ""), parameters(asked)
        with self.lock:
            if call == "access_token":
                return self._sign_in(body)
            if refusal := self._refuse(asked, body):
                return refusal
            deeds = {
                "customer/info": self._info,
                "customer/create_or_update": self._save,
                "customer/card/add": self._add_card,
                "customer/program/add": self._join_program,
                "customer_category": lambda body: Reply.json({"guestCategories": [_group("vip", "VIP")]}),
                "customer_category/add": self._put_into_category,
                "program": lambda body: Reply.json({"programs": [{**_group("bonus", "Bonus"), "walletId": "bonus"}]}),
            }
            return deeds[call](body) if call in deeds else _transport_error(404, "Not found")

    def failure(self, status: int, retry_after: int | None) -> Reply:
        headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
        return _transport_error(status, "Something went wrong", **headers)

    def _sign_in(self, body: Body) -> Reply:
        expected = settings.INTEGRATIONS.iiko_api_login
        if not expected or not hmac.compare_digest(str(body.get("apiLogin", "")).encode(), expected.encode()):
            return _transport_error(401, "Login is not authorized")
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.monotonic() + self.token_seconds
        self.sign_ins += 1
        return Reply.json({"correlationId": str(uuid.uuid4()), "token": token, "expiresIn": self.token_seconds})

    def _refuse(self, asked: Asked, body: Body) -> Reply | None:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if self.tokens.get(token, 0) < time.monotonic():
            return _transport_error(401, "Token is expired")
        if body.get("organizationId") != settings.INTEGRATIONS.iiko_organization_id:
            return _transport_error(400, "Organization is not available for this login")
        return None

    def _info(self, body: Body) -> Reply:
        person = self.people.get(str(body.get("phone", ""))) if body.get("type") == "phone" else None
        return Reply.json(person.to_json()) if person else _no_guest()

    def _save(self, body: Body) -> Reply:
        phone = str(body.get("phone") or "")
        person = self._by_id(str(body["id"])) if body.get("id") else self.people.get(phone)
        if person is None and (body.get("id") or not phone):
            return _no_guest()
        person = person or self.make(phone)
        person.profile |= {kept: body[name] for name, kept in PROFILE.items() if body.get(name) is not None}
        if isinstance(body.get("isDeleted"), bool):
            person.is_deleted = body["isDeleted"]
        return Reply.json({"id": person.id})

    def _add_card(self, body: Body) -> Reply:
        number, track = str(body.get("cardNumber", "")), str(body.get("cardTrack", ""))
        person = self._by_id(str(body.get("customerId", "")))
        if person is None:
            return _no_guest()
        taken = next((other for other in self.people.values() if any(c["number"] == number for c in other.cards)), None)
        if not number or not track or (taken and taken is not person):
            return _business_error("Customer_CardAlreadyExists", "The card is taken")
        if taken is None:
            person.cards.append({"id": str(uuid.uuid4()), "number": number, "track": track})
        return Reply.json({})

    def _join_program(self, body: Body) -> Reply:
        person = self._by_id(str(body.get("customerId", "")))
        return Reply.json({"userWalletId": person.wallet_id, "walletId": "bonus"}) if person else _no_guest()

    def _put_into_category(self, body: Body) -> Reply:
        person, category = self._by_id(str(body.get("customerId", ""))), str(body.get("categoryId", ""))
        if person is None:
            return _no_guest()
        if category not in person.categories:
            person.categories.append(category)
        return Reply.json({})

    def _by_id(self, guest_id: str) -> Person | None:
        return next((person for person in self.people.values() if person.id == guest_id), None)

    # What happens at the till

    def make(self, phone: str, balance: Decimal = Decimal(0)) -> Person:
        """A guest whom iiko knows; an existing one is answered as they are."""
        with self.lock:
            if phone not in self.people:
                self.people[phone] = Person(str(uuid.uuid4()), phone, str(uuid.uuid4()), balance)
            return self.people[phone]

    def move(self, phone: str, kind: str, amount: Decimal, **more: Any) -> Notice:
        """A guest earns or spends: the balance moves now, the notice is ready to be posted. 404 for a stranger."""
        with self.lock:
            person = self.people.get(phone)
            if person is None:
                raise ControlRefused("No such guest", 404)
            person.balance += -abs(amount) if kind == SPENDING else amount
            return self.notice(person, kind, amount, **more)

    def notice(self, person: Person, kind: str, amount: Decimal | None, **more: Any) -> Notice:
        """The body that iikoCard posts, with `more` put over it (a None takes a field out)."""
        now = timezone.now()
        body = {
            "id": str(uuid.uuid4()),
            "uocId": str(uuid.uuid4()),
            "organizationId": settings.INTEGRATIONS.iiko_organization_id,
            "customerId": person.id,
            "phone": person.phone,
            "walletId": person.wallet_id,
            "sum": None if amount is None else float(amount),
            "balance": float(person.balance),
            "transactionType": kind,
            "notificationType": 1,
            "subscriptionPassword": "wrong"
            if self._is_forging()
            else settings.INTEGRATIONS.iiko_webhook_secret or None,
            "changedOn": now.strftime("%Y-%m-%dT%H:%M:%S.%f"),
            **more,
        }
        told = {name: value for name, value in body.items() if value is not None}
        return Notice(self.webhook_url(), {"Content-Type": "application/json"}, json.dumps(told).encode())

    def storm(self, phone: str, count: int, repeats: int, seed: int) -> list[Notice]:
        """`count` movements, each posted `1 + repeats` times, all in a disorder that `seed` fixes."""
        chance = random.Random(seed)  # noqa: S311 - a rehearsal, not a secret
        start = timezone.now()
        notices = []
        for number in range(count):
            kind, amount = ("Accrual", 100 + number) if number % 3 else (SPENDING, 10 + number)
            changed_on = (start + timedelta(milliseconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%f")
            notices += [self.move(phone, kind, Decimal(amount), changedOn=changed_on)] * (1 + repeats)
        chance.shuffle(notices)
        return notices

    def expire_tokens(self) -> None:
        """Every token given so far stops working."""
        self.tokens.clear()

    def go_down(self, seconds: float) -> None:
        """Answer 503 to everything for so long; nothing is done meanwhile."""
        self.down_until = time.monotonic() + seconds

    # Control calls

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "guest": self._control_guest,
            "move": self._control_move,
            "storm": self._control_storm,
            "stranger": self._control_stranger,
            "expire-tokens": self._control_expire_tokens,
            "down": self._control_down,
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"guests": [person.to_json() for person in list(self.people.values())[-100:]]}

    def _control_guest(self, body: Body) -> dict[str, Any]:
        person = self.make(word(body, "phone"), _amount(body, "balance", "0"))
        person.profile |= {kept: body[name] for name, kept in PROFILE.items() if name in body}
        return {"ok": True, "guest": person.to_json()}

    def _control_move(self, body: Body) -> dict[str, Any]:
        notice = self.move(word(body, "phone"), word(body, "type", "Accrual"), _amount(body, "sum"))
        return {"ok": True, "delivery": {} if body.get("silent") is True else self.deliver(notice)}

    def _control_storm(self, body: Body) -> dict[str, Any]:
        count = min(whole(body, "count", 20), MOST_IN_A_STORM)
        notices = self.storm(word(body, "phone"), count, whole(body, "repeats", 1), whole(body, "seed", 1))
        return {"ok": True, "statuses": [self.deliver(notice)["status"] for notice in notices]}

    def _control_stranger(self, body: Body) -> dict[str, Any]:
        stranger = Person(str(uuid.uuid4()), word(body, "phone"), str(uuid.uuid4()), Decimal(100))
        return {"ok": True, "delivery": self.deliver(self.notice(stranger, "Accrual", Decimal(100)))}

    def _control_expire_tokens(self, body: Body) -> dict[str, Any]:
        self.expire_tokens()
        return {"ok": True}

    def _control_down(self, body: Body) -> dict[str, Any]:
        self.go_down(whole(body, "seconds", 10))
        return {"ok": True}


def _amount(body: Body, name: str, default: str | None = None) -> Decimal:
    try:
        amount = Decimal(str(body.get(name, default)))
    except InvalidOperation:
        raise ControlRefused(f"{name} must be a number") from None
    if not amount.is_finite() or abs(amount) > 10**9:
        raise ControlRefused(f"{name} must be a number")
    return amount


def _group(group_id: str, name: str) -> dict[str, Any]:
    return {"id": group_id, "name": name, "isActive": True}


def _transport_error(status: int, description: str, **headers: str) -> Reply:
    body = {"correlationId": str(uuid.uuid4()), "errorDescription": description, "error": None}
    return Reply.json(body, status, **headers)


def _no_guest() -> Reply:
    return _business_error("Customer_CustomerNotFound", "There is no user with this phone")


def _business_error(code: str, message: str) -> Reply:
    body = {"code": None, "errorCode": code, "message": message, "httpStatusCode": 400, "isIntegrationError": False}
    return Reply.json(body, 400)
