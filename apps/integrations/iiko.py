"""iiko Cloud, the restaurant's guest base (contract loyalty 4.1, 4.2; integrations 4).

One token for all processes, kept in the cache; one process at a time fetches a new one and the others are told to
come back in a second. A failing sign-in is never mistaken for a missing guest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.cache import cache

from apps.integrations import http
from apps.integrations.guests import Gender, Guest, GuestCard, GuestChanges, GuestGroup, GuestWallet
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import vendors

TOKEN_KEY = "iiko:access_token"  # noqa: S105 - a cache key
LOCK_KEY = "iiko:access_token:lock"
TOKEN_LIFE_S = 3600
TOKEN_MARGIN_S = 30
SHORTEST_TOKEN_LIFE_S = 30
LOCK_LIFE_S = 15
LOSER_PAUSE_S = 1
CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 8.0
ATTEMPTS = 2

COMMENT = "mahalla"
"""Marks in the guest's record that we made or changed it."""

GUESTS = "/api/1/loyalty/iiko/customer"
NOT_FOUND_WORDS = ("customernotfound", "no user", "not found")
GENDERS: dict[Any, Gender] = {1: "male", "1": "male", "m": "male", "man": "male", "male": "male"}
GENDERS |= {2: "female", "2": "female", "f": "female", "woman": "female", "female": "female"}
SEX_NUMBERS: dict[Gender, int] = {"": 0, "male": 1, "female": 2}


class Iiko:
    """The `LoyaltySystem` port over iiko Cloud."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def is_configured(self) -> bool:
        conf = settings.INTEGRATIONS
        return bool(conf.iiko_api_login and conf.iiko_organization_id)

    def find_guest(self, *, phone: str, patience_s: float = READ_TIMEOUT_S) -> Guest | None:
        asked = {"phone": phone, "type": "phone"}
        answer = self._authorised(f"{GUESTS}/info", asked, is_idempotent=True, patience_s=patience_s)
        if answer.status == 404 or (answer.status == 400 and _says_not_found(answer)):
            return None
        return _guest(_unwrap(answer))

    def save_guest(self, *, phone: str, changes: GuestChanges, guest_id: str = "") -> str:
        asked = {"phone": phone, "comment": COMMENT, **_as_fields(changes)}
        if guest_id:
            asked["id"] = guest_id
        told = _unwrap(self._authorised(f"{GUESTS}/create_or_update", asked))
        if not (known := _text(told, "id", "customerId")):
            raise VendorUnsure("iiko: an answer without an id")
        return known

    def add_card(self, *, guest_id: str, number: str, track: str) -> str:
        asked = {"customerId": guest_id, "cardTrack": track, "cardNumber": number}
        return _text(_unwrap(self._authorised(f"{GUESTS}/card/add", asked)), "id", "cardId")

    def categories(self) -> Sequence[GuestGroup]:
        told = _unwrap(self._authorised("/api/1/loyalty/iiko/customer_category", {}, is_idempotent=True))
        return _groups(told.get("guestCategories"))

    def put_into_category(self, *, guest_id: str, category_id: str) -> None:
        asked = {"customerId": guest_id, "categoryId": category_id}
        _unwrap(self._authorised("/api/1/loyalty/iiko/customer_category/add", asked))

    def programs(self) -> Sequence[GuestGroup]:
        told = _unwrap(self._authorised("/api/1/loyalty/iiko/program", {}, is_idempotent=True))
        return _groups(told.get("programs", told.get("Programs")))

    def join_program(self, *, guest_id: str, program_id: str) -> str:
        asked = {"customerId": guest_id, "programId": program_id}
        return _text(_unwrap(self._authorised(f"{GUESTS}/program/add", asked)), "userWalletId", "walletId")

    def is_genuine(self, password: str) -> bool:
        expected = settings.INTEGRATIONS.iiko_webhook_secret
        return not expected or http.is_same_secret(password, expected)

    # The token: one flight at a time

    def _authorised(
        self, path: str, asked: Mapping[str, Any], *, is_idempotent: bool = False, patience_s: float = READ_TIMEOUT_S
    ) -> http.Answer:
        """Call with the shared token; one that iiko no longer knows (401, 403) is renewed once."""
        body = {"organizationId": settings.INTEGRATIONS.iiko_organization_id, **asked}
        token = self._token()
        answer = self._call(path, body, token, is_idempotent=is_idempotent, patience_s=patience_s)
        if answer.status in (401, 403):
            fresh = self._token(stale=token)
            answer = self._call(path, body, fresh, is_idempotent=is_idempotent, patience_s=patience_s)
        return http.refuse_trouble(answer)

    def _call(
        self, path: str, body: Mapping[str, Any], token: str, *, is_idempotent: bool, patience_s: float
    ) -> http.Answer:
        conf = settings.INTEGRATIONS
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if conf.iiko_proxy_secret:
            headers["x-iiko-proxy-secret"] = conf.iiko_proxy_secret
        return self._send(
            http.Call(
                vendor="iiko",
                method="POST",
                url=conf.iiko_api_base + path,
                headers=headers,
                json=dict(body),
                is_idempotent=is_idempotent,
                attempts=ATTEMPTS,
                connect_timeout_s=min(CONNECT_TIMEOUT_S, patience_s),
                read_timeout_s=patience_s,
            )
        )

    def _token(self, stale: str = "") -> str:
        """A token other than `stale`. Raises `VendorBusy` for whoever finds somebody else fetching one."""
        known = str(cache.get(TOKEN_KEY) or "")
        if known and known != stale:
            return known
        if not self.is_configured():
            raise VendorRefused("iiko is not configured")
        if not cache.add(LOCK_KEY, 1, LOCK_LIFE_S):
            raise VendorBusy("iiko: somebody else is signing in", retry_after=LOSER_PAUSE_S)
        try:
            return self._sign_in()
        finally:
            cache.delete(LOCK_KEY)

    def _sign_in(self) -> str:
        asked = {"apiLogin": settings.INTEGRATIONS.iiko_api_login}
        answer = self._call("/api/1/access_token", asked, "", is_idempotent=True, patience_s=READ_TIMEOUT_S)
        told = http.refuse_trouble(answer).fields()
        token = told.get("token")
        if answer.status != 200 or not isinstance(token, str) or not token:
            raise VendorRefused(f"iiko: the sign-in is refused with status {answer.status}")
        cache.set(TOKEN_KEY, token, _life(told))
        return token


class FakeIiko(Iiko):
    """The same client, talking to the fake iiko in this process."""

    def __init__(self) -> None:
        self.vendor = vendors.iiko
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def _life(told: Mapping[str, Any]) -> int:
    """Seconds to keep a token: less than it lives, so that it does not die on the way."""
    named = next((told[name] for name in ("expiresIn", "expires", "expires_in") if told.get(name)), TOKEN_LIFE_S)
    try:
        return max(int(named) - TOKEN_MARGIN_S, SHORTEST_TOKEN_LIFE_S)
    except (TypeError, ValueError):
        return TOKEN_LIFE_S - TOKEN_MARGIN_S


def _says_not_found(answer: http.Answer) -> bool:
    """A 400 has many causes; only these words mean that there is no such guest."""
    told = answer.fields()
    words = " ".join(str(told.get(name, "")) for name in ("errorCode", "message", "description", "errorDescription"))
    return any(word in words.lower() for word in NOT_FOUND_WORDS)


def _unwrap(answer: http.Answer) -> dict[str, Any]:
    if answer.status == 200:
        return answer.fields()
    if answer.status == 408:
        raise VendorBusy("iiko: status 408")
    raise VendorRefused(f"iiko: status {answer.status} {answer.fields().get('errorCode') or ''}".rstrip())


def _as_fields(changes: GuestChanges) -> dict[str, Any]:
    """Only what is said. iiko's own spelling, `surName` and a number for the sex, is what the vendor documents."""
    told = {
        "name": changes.name,
        "surName": changes.surname,
        "middleName": changes.middle_name,
        "birthday": f"{changes.birthday:%Y-%m-%d} 00:00:00.000" if changes.birthday else None,
        "sex": None if changes.gender is None else SEX_NUMBERS[changes.gender],
        "email": changes.email,
        "isDeleted": changes.is_deleted,
    }
    return {name: value for name, value in told.items() if value is not None}


def _guest(told: Mapping[str, Any]) -> Guest:
    if not (guest_id := _text(told, "id", "customerId")):
        raise VendorUnsure("iiko: a guest without an id")
    return Guest(
        guest_id=guest_id,
        name=_text(told, "name"),
        surname=_text(told, "surname", "surName"),
        middle_name=_text(told, "middleName"),
        full_name=_text(told, "fullName"),
        birthday=_day(told.get("birthday")),
        gender=_gender(told.get("sex", told.get("gender"))),
        email=_text(told, "email"),
        is_deleted=told.get("isDeleted") is True,
        wallets=tuple(_wallet(row) for row in _rows(told.get("walletBalances"))),
        cards=tuple(_card(row) for row in _rows(told.get("cards"))),
    )


def _wallet(row: Mapping[str, Any]) -> GuestWallet:
    named = next((row[name] for name in ("balance", "availableBalance", "amount") if row.get(name) is not None), None)
    kind, balance = row.get("type"), money(named)
    return GuestWallet(
        wallet_id=_text(row, "id", "walletId"),
        kind=kind if isinstance(kind, int) else None,
        balance=balance,
        name=_text(row, "name"),
        is_garbled=named is not None and balance is None,
    )


def _card(row: Mapping[str, Any]) -> GuestCard:
    return GuestCard(_text(row, "id", "cardId"), _text(row, "number", "cardNumber"), _text(row, "track", "cardTrack"))


def _groups(rows: Any) -> list[GuestGroup]:
    return [
        GuestGroup(_text(row, "id"), _text(row, "name"), row.get("isActive") is True, _text(row, "walletId"))
        for row in _rows(rows)
    ]


def _rows(given: Any) -> Iterable[Mapping[str, Any]]:
    return [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []


def _text(row: Mapping[str, Any], *names: str) -> str:
    found = next((row[name] for name in names if row.get(name)), "")
    return found.strip() if isinstance(found, str) else ""


def _day(given: Any) -> date | None:
    with suppress(TypeError, ValueError):
        return date.fromisoformat(str(given or "")[:10])
    return None


def _gender(given: Any) -> Gender:
    known = given.strip().lower() if isinstance(given, str) else given
    return GENDERS.get(known, "") if isinstance(known, str | int) else ""


def money(given: Any) -> Decimal | None:
    """A sum as iiko sends it, number or text, to two places; None for anything else or beyond what we can keep."""
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(given)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < 10**10 else None
