"""The login log in this product's words (contract loyalty 1.4, rows 32, 34, 35; 1.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from django.db.models import F, Q, QuerySet, Value

from apps.accounts import queries as people
from apps.accounts.models import AuthLog, OneTimeCode
from apps.core import phones
from apps.loyalty.conf import PRODUCT
from apps.loyalty.models import CashbackTransaction, Client, Staff

Event = AuthLog.Event

WORDS: dict[str, tuple[str, str]] = {
    Event.CODE_REQUESTED: ("otp_request", "OTP_REQUEST"),
    Event.CODE_PROVED: ("otp_verification", "OTP_VERIFICATION"),
    Event.CODE_WRONG: ("otp_verification", "OTP_VERIFICATION"),
    Event.LOGGED_IN: ("login_success", "LOGIN"),
    Event.LOGIN_FAILED: ("login_failed", "FAILED_LOGIN"),
    Event.LOGGED_OUT: ("logout", "LOGOUT"),
}
"""Event of the house → event and action that old clients know; the rest keeps its name."""

CODES = (Event.CODE_REQUESTED, Event.CODE_PROVED, Event.CODE_WRONG)
BEFORE_REGISTERING = timedelta(days=1)
"""How long before an account was made its codes may have been asked for."""


def entries() -> QuerySet[AuthLog]:
    """Everything at this product's doors, newest first."""
    return people.login_log(product=PRODUCT)


def refused() -> QuerySet[AuthLog]:
    """What did not open a door, newest first."""
    return entries().filter(is_success=False)


def deeds() -> QuerySet[CashbackTransaction, dict[str, Any]]:
    """Movements of cashback that somebody of the staff made, newest first."""
    made = CashbackTransaction.objects.filter(staff__isnull=False).order_by("-id")
    named: Any = made.annotate(
        actor=F("staff__name"), actor_id=F("staff_id"), action=F("kind"), entity_id=F("client_id")
    )
    columns = ("id", "actor", "actor_id", "action", "entity_id", "amount", "created_at")
    return cast("QuerySet[CashbackTransaction, dict[str, Any]]", named.values(*columns, entity=Value("user")))


def codes(client: Client | None = None) -> QuerySet[AuthLog]:
    """Codes asked for and handed in, of one guest or of all."""
    rows = entries().filter(event__in=CODES)
    if client is None:
        return rows
    return rows.filter(Q(user=client.user_id) | Q(pk__in=_before_there_was_an_account(client)))


def _before_there_was_an_account(client: Client) -> Sequence[int]:
    """Codes for this phone from the time when nobody had it: the log masks phones, the codes' rows know them."""
    asked = OneTimeCode.objects.filter(phone=client.phone, purpose__startswith=f"{PRODUCT}:")
    ids = set(asked.order_by("-id").values_list("pk", flat=True)[:100])
    window = (client.created_at - BEFORE_REGISTERING, client.created_at)
    nobodys = entries().filter(event=Event.CODE_REQUESTED, user=None, at__range=window)
    candidates = nobodys.filter(identifier=phones.mask(client.phone)).values_list("pk", "facts")
    return [pk for pk, facts in candidates if facts.get("code_id") in ids]


def words(entry: AuthLog) -> tuple[str, str]:
    """Event and action of an entry as clients know them."""
    return WORDS.get(entry.event, (entry.event, entry.event.upper()))


def meta(entry: AuthLog) -> Mapping[str, Any]:
    """The details of an entry: of a code its purpose and number, the rest as the house has it."""
    told = dict(entry.facts)
    if "code_id" in told:
        told["otp_id"] = told.pop("code_id")
    if str(told.get("purpose", "")).startswith(f"{PRODUCT}:"):
        told["purpose"] = told["purpose"].removeprefix(f"{PRODUCT}:")
    return told


def actors(entries: Sequence[AuthLog]) -> Mapping[int, Client | Staff]:
    """Person → the member of staff or the newest account of the guest behind them; two queries for any page."""
    ids = {entry.user_id for entry in entries if entry.user_id}
    guests = {row.user_id: row for row in Client.objects.filter(user__in=ids).order_by("pk")}
    return {**guests, **{row.user_id: row for row in Staff.objects.filter(user__in=ids)}}
