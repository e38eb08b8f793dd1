"""Payme calls us: the Merchant API as a table of methods (contract integrations 2).

A call with the right key is Payme's own word, so value moves on PerformTransaction. Every write may be repeated.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.money import Money
from apps.core.texts import in_languages
from apps.integrations.ports import port
from apps.payments.actions import refunding, settling
from apps.payments.actions.locking import lock_with_siblings
from apps.payments.conf import Payments
from apps.payments.models import Attempt, GatewayKey, Payment

log = logging.getLogger(__name__)

METHOD = Payment.Method.PAYME
LIFETIME_MS = 43_200_000
"""Twelve hours: an older transaction can no longer be performed."""

TIMEOUT_REASON = 4
LANGUAGES = ("ru", "uz", "en")
TRANSACTION_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
State = Attempt.State


class RpcRefused(Exception):
    """An error in Payme's form: a code, words in three languages, and what it is about."""

    def __init__(self, code: int, message: str | Promise, about: str | None = None) -> None:
        self.code = code
        self.message = message
        self.about = about
        super().__init__(str(code))

    def as_json(self) -> dict[str, Any]:
        """The `error` member of the answer."""
        return {"code": self.code, "message": in_languages(self.message, LANGUAGES), "data": self.about}


class UndoneThen(Exception):
    """A refusal after something was written (a transaction timed out): the write stays."""

    def __init__(self, refusal: RpcRefused) -> None:
        self.refusal = refusal
        super().__init__(str(refusal))


def answer_payme(
    *, raw: bytes, authorization: str, is_post: bool = True, now: datetime | None = None
) -> dict[str, Any]:
    """One JSON-RPC call; the answer always goes out with status 200. Raises nothing for anything Payme may send."""
    asked, number = _parse(raw)
    try:
        if not is_post:
            raise RpcRefused(-32300, _("Only POST is accepted"))
        _ensure_payme(authorization)
        method, params = _call_of(asked)
        return {"jsonrpc": "2.0", "id": number, "result": _run(method, params, _ms(now))}
    except RpcRefused as refused:
        return {"jsonrpc": "2.0", "id": number, "error": refused.as_json()}
    except Exception:  # the contract has a number for it: a 500 would tell Payme nothing
        log.exception("a call of payme could not be answered")
        return {"jsonrpc": "2.0", "id": number, "error": RpcRefused(-32400, _("Our own fault")).as_json()}


def _ms(now: datetime | None) -> int:
    return int((now or timezone.now()).timestamp() * 1000)


def _parse(raw: bytes) -> tuple[Any, Any]:
    """The body, and the id to echo; `None` for both when it is no JSON."""
    try:
        asked = json.loads(raw)
    except (ValueError, RecursionError):
        return None, None
    number = asked.get("id") if isinstance(asked, dict) else None
    return asked, number if isinstance(number, int | str) else None


def _ensure_payme(authorization: str) -> None:
    gateway = port("payme")
    given = gateway.key_of(authorization)
    changed = GatewayKey.objects.filter(method=METHOD).values_list("digest", flat=True).first()
    is_right = gateway.is_key_digest(given, changed) if changed else gateway.is_key(given)
    if not given or not is_right:
        raise RpcRefused(-32504, _("Not enough rights to call this method"))


def _call_of(asked: Any) -> tuple[str, Mapping[str, Any]]:
    if asked is None:
        raise RpcRefused(-32700, _("The JSON cannot be read"))
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
        raise RpcRefused(-32600, _("The call lacks required fields"))
    params = asked.get("params")
    if not isinstance(params, dict):
        raise RpcRefused(-32600, _("The call lacks required fields"))
    return asked["method"], params


def _run(method: str, params: Mapping[str, Any], now: int) -> dict[str, Any]:
    deed = METHODS.get(method)
    if deed is None:
        raise RpcRefused(-32601, _("There is no such method"), method)
    with transaction.atomic():
        try:
            return deed(params, now)
        except UndoneThen as undone:  # what was written before the refusal is committed
            refusal = undone.refusal
    raise refusal


# The methods ----------------------------------------------------------------------------------------------------------


def _check_perform(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    payment = _payable(params, now)
    return {"allow": True, **({"detail": _detail(payment)} if payment.basket else {})}


def _create(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    number, vendor_time = _number(params), _whole(params, "time")
    if found := _find(number):
        return _created(_still_good(found, now))
    payment = _payable(params, now)
    if found := _find(number):  # a twin of this call was quicker; the payment's lock made us wait
        return _created(_still_good(found, now))
    if now - vendor_time >= LIFETIME_MS:
        raise _cannot_perform()
    for other in payment.attempts.filter(method=METHOD, state=State.CREATED):
        if now - other.created_ms < LIFETIME_MS:
            raise RpcRefused(-31099, _("This order is being paid by another transaction"), port("payme").account_field)
        _cancel_attempt(other, State.CANCELLED, TIMEOUT_REASON, now)
    attempt = Attempt.objects.create(
        payment=payment,
        method=METHOD,
        vendor_id=number,
        amount=payment.amount,
        vendor_time=vendor_time,
        created_ms=now,
    )
    return _created(attempt)


def _perform(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    attempt, payment, siblings = _locked(params)
    if attempt.state == State.PERFORMED:
        return _performed(attempt)
    attempt = _still_good(attempt, now)
    if payment.is_settled or any(row.status == Payment.Status.PAID and not row.is_surplus for row in siblings):
        raise _cannot_perform()
    Payment.objects.filter(pk=payment.pk).update(vendor_id=attempt.vendor_id, vendor_word="performed")
    settling.settle(payment_id=payment.pk, told=attempt.amount, source="payme")
    attempt.state, attempt.performed_ms = State.PERFORMED, now
    attempt.save(update_fields=["state", "performed_ms"])
    return _performed(attempt)


def _cancel(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    attempt, payment, _siblings = _locked(params)
    reason = _whole(params, "reason")
    if attempt.state == State.CREATED:
        _cancel_attempt(attempt, State.CANCELLED, reason, now)
    elif attempt.state == State.PERFORMED:
        _take_back(attempt, payment, reason, now)
    return {"transaction": str(attempt.pk), "cancel_time": attempt.cancelled_ms, "state": attempt.state}


def _take_back(attempt: Attempt, payment: Payment, reason: int, now: int) -> None:
    """A refund in Payme's cabinet: of one that we asked for always, else only if the operator lets Payme do so."""
    conf: Payments = settings.PAYMENTS
    if not conf.payme_return_allowed and not payment.refunds.filter(status__in=("new", "pending")).exists():
        raise RpcRefused(-31007, _("The order is done and cannot be taken back"))
    refunding.record_from_gateway(payment_id=payment.pk, refunded=payment.captured_amount, word="payme cabinet")
    _cancel_attempt(attempt, State.TAKEN_BACK, reason, now)


def _check(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    attempt = _attempt(params)
    return {
        "create_time": attempt.created_ms,
        "perform_time": attempt.performed_ms,
        "cancel_time": attempt.cancelled_ms,
        "transaction": str(attempt.pk),
        "state": attempt.state,
        "reason": attempt.reason,
    }


def _statement(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    span = (_whole(params, "from"), _whole(params, "to"))
    rows = Attempt.objects.filter(method=METHOD, vendor_time__range=span).select_related("payment")
    return {"transactions": [_row(attempt) for attempt in rows.order_by("vendor_time", "id")]}


def _row(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.vendor_id,
        "time": attempt.vendor_time,
        "amount": Money(attempt.amount, attempt.payment.currency).minor_units(),
        "account": {port("payme").account_field: attempt.payment.shop_transaction_id},
        "create_time": attempt.created_ms,
        "perform_time": attempt.performed_ms,
        "cancel_time": attempt.cancelled_ms,
        "transaction": str(attempt.pk),
        "state": attempt.state,
        "reason": attempt.reason,
        "receivers": None,
    }


def _fiscal(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    kind, receipt = params.get("type"), params.get("fiscal_data")
    if kind not in ("PERFORM", "CANCEL") or not isinstance(receipt, dict):
        raise RpcRefused(-32602, _("The parameters are wrong"))
    found = _find(_number(params))
    if found is None:
        raise RpcRefused(-32001, _("There is no such transaction"))
    Attempt.objects.filter(pk=found.pk).update(fiscal={**(found.fiscal or {}), kind: _storable(receipt)})
    return {"success": True}


def _storable(value: Any, levels: int = 20) -> Any:
    """What PostgreSQL's JSON can keep: no U+0000, no lone surrogates, no NaN, and no deeper than `levels`."""
    if isinstance(value, dict | list) and not levels:
        return None
    if isinstance(value, dict):
        return {_storable(str(key)): _storable(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item, levels - 1) for item in value]
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _change_password(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    password = params.get("password")
    if not isinstance(password, str) or not 8 <= len(password) <= 200:
        raise RpcRefused(-32602, _("The parameters are wrong"))
    digest = hashlib.sha256(password.encode("utf-8", "replace")).hexdigest()
    GatewayKey.objects.update_or_create(method=METHOD, defaults={"digest": digest, "changed_at": timezone.now()})
    log.warning("payme has changed its key")
    return {"success": True}


METHODS: Mapping[str, Callable[[Mapping[str, Any], int], dict[str, Any]]] = {
    "CheckPerformTransaction": _check_perform,
    "CreateTransaction": _create,
    "PerformTransaction": _perform,
    "CancelTransaction": _cancel,
    "CheckTransaction": _check,
    "GetStatement": _statement,
    "SetFiscalData": _fiscal,
    "ChangePassword": _change_password,
}


# What they share ------------------------------------------------------------------------------------------------------


def _number(params: Mapping[str, Any]) -> str:
    number = params.get("id")
    if not isinstance(number, str) or not TRANSACTION_ID.fullmatch(number):
        raise RpcRefused(-31003, _("There is no such transaction"))
    return number


def _whole(params: Mapping[str, Any], name: str) -> int:
    value = params.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**15) <= value < 2**53:
        raise RpcRefused(-32600, _("The call lacks required fields"), name)
    if name == "reason" and not 0 <= value < 2**15:
        raise RpcRefused(-32600, _("The call lacks required fields"), name)
    return value


def _find(number: str) -> Attempt | None:
    return Attempt.objects.select_for_update(of=("self",)).filter(method=METHOD, vendor_id=number).first()


def _attempt(params: Mapping[str, Any]) -> Attempt:
    found = Attempt.objects.filter(method=METHOD, vendor_id=_number(params)).first()
    if found is None:
        raise RpcRefused(-31003, _("There is no such transaction"))
    return found


def _locked(params: Mapping[str, Any]) -> tuple[Attempt, Payment, list[Payment]]:
    """The transaction with its payment, locked payment first."""
    seen = _attempt(params)
    payment, siblings = lock_with_siblings(seen.payment_id)
    return Attempt.objects.select_for_update(of=("self",)).get(pk=seen.pk), payment, siblings


def _payable(params: Mapping[str, Any], now: int) -> Payment:
    """The open payment that the account names, locked, at exactly this amount."""
    field = port("payme").account_field
    account = params.get("account")
    given = account.get(field) if isinstance(account, dict) else None
    is_id = isinstance(given, str) and TRANSACTION_ID.fullmatch(given)
    known = Payment.objects.filter(method=METHOD, shop_transaction_id=given) if is_id else None
    pk = known.values_list("pk", flat=True).first() if known is not None else None
    if pk is None:
        raise RpcRefused(-31050, _("There is no such order"), field)
    payment, siblings = lock_with_siblings(pk)
    amount = params.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount != payment.money.minor_units():
        raise RpcRefused(-31001, _("The amount is wrong"), "amount")
    is_paid = payment.is_settled or any(row.status in (Payment.Status.PAID, Payment.Status.HELD) for row in siblings)
    if is_paid or not payment.is_open:
        raise RpcRefused(-31051, _("This order cannot be paid"), field)
    return payment


def _still_good(attempt: Attempt, now: int) -> Attempt:
    """The transaction, if it may go on; one that is too old is cancelled on the spot."""
    if attempt.state != State.CREATED:
        raise _cannot_perform()
    if now - attempt.created_ms >= LIFETIME_MS:
        _cancel_attempt(attempt, State.CANCELLED, TIMEOUT_REASON, now)
        raise UndoneThen(_cannot_perform())
    return attempt


def _cancel_attempt(attempt: Attempt, state: Attempt.State, reason: int, now: int) -> None:
    attempt.state, attempt.reason, attempt.cancelled_ms = state, reason, now
    attempt.save(update_fields=["state", "reason", "cancelled_ms"])


def _cannot_perform() -> RpcRefused:
    return RpcRefused(-31008, _("This operation is not possible"))


def _created(attempt: Attempt) -> dict[str, Any]:
    return {
        "create_time": attempt.created_ms,
        "transaction": str(attempt.pk),
        "state": attempt.state,
        "receivers": None,
    }


def _performed(attempt: Attempt) -> dict[str, Any]:
    return {"transaction": str(attempt.pk), "perform_time": attempt.performed_ms, "state": attempt.state}


def _detail(payment: Payment) -> dict[str, Any]:
    """Lines of the fiscal receipt, prices in tiyin."""
    return {
        "receipt_type": 0,
        "items": [
            {
                "title": row["title"],
                "price": Money(Decimal(row["price"]), payment.currency).minor_units(),
                "count": row["count"],
                "code": row["spic"],
                "package_code": row["package_code"],
                "vat_percent": row["vat_percent"] or 0,
            }
            for row in payment.basket
        ],
    }
