"""An OCTO that keeps payments, lets a person pay them on a page, holds, captures, refunds, and signs its notices."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

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

TASHKENT = ZoneInfo("Asia/Tashkent")
WRONG_CODES_MOST = 3
LARGEST_REFUND = Decimal(10_000_000)
NEEDED = ("init_time", "total_sum", "currency", "description")


class Denied(Exception):
    """`error` ≠ 0 with its words; the HTTP status stays 200."""

    def __init__(self, code: int, words: str) -> None:
        self.code = code
        self.words = words
        super().__init__(words)


@dataclass
class Charge:
    """One payment as OCTO keeps it."""

    uuid: str
    transaction_id: str
    amount: Decimal
    currency: str
    description: str
    is_two_stage: bool
    notify_url: str
    return_url: str
    expires_at: datetime
    status: str = "created"
    captured: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    wrong_codes: int = 0
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)


class FakeOctoBank(Vendor):
    """OCTO for one shop, the configured one."""

    name: ClassVar[str] = "octo"

    def forget(self) -> None:
        self.charges: dict[str, Charge] = Bounded()
        self.refund_word = "succeeded"
        self.refuses_repeats = False
        self.counts_rest_as_refunded = False
        self.top_level = False
        self.is_locked_out = False
        self._too_often = 0
        self._lies = 0
        self._lie = Decimal(0)
        self._overtakes = 0
        self._repeats = 1

    # The API

    def answer(self, asked: Asked) -> Reply:
        path = asked.path.rstrip("/").rpartition("/")[2]
        body = parameters(asked)
        deeds = {"prepare_payment": self._prepare, "set_accept": self._set_accept, "refund": self._refund}
        try:
            if path not in deeds or asked.method != "POST":
                return Reply.json({"detail": "Not Found"}, 404)
            self._ensure_shop(body)
            return self._good(deeds[path](body))
        except Denied as denied:
            return Reply.json(
                {
                    "error": denied.code,
                    "errMessage": denied.words,
                    "data": None,
                    "errorMessage": denied.words,
                    "apiMessageForDevelopers": denied.words,
                }
            )

    def _good(self, found: dict[str, Any]) -> Reply:
        frame = {"error": 0, "errMessage": None, "errorMessage": None, "apiMessageForDevelopers": "OK"}
        return Reply.json({**frame, **found} if self.top_level else {**frame, "data": found})

    def _ensure_shop(self, body: Body) -> None:
        conf = settings.INTEGRATIONS
        is_ours = str(body.get("octo_shop_id")) == conf.octo_shop_id and body.get("octo_secret") == conf.octo_secret
        if self.is_locked_out or not is_ours:
            raise Denied(2, "Wrong secret")

    def _prepare(self, body: Body) -> dict[str, Any]:
        transaction_id = body.get("shop_transaction_id")
        if not isinstance(transaction_id, str) or not transaction_id:
            raise Denied(1, "shop_transaction_id is required")
        with self.lock:
            charge = next((one for one in self.charges.values() if one.transaction_id == transaction_id), None)
            is_question = all(body.get(name) is None for name in NEEDED)
            if is_question:
                self._maybe_too_often()
            if charge is None:
                charge = self._new(transaction_id, body)
        if not is_question and self._takes_over(charge):
            self.deliver(self.pay(charge.uuid))
        return self._shown(charge, lies=is_question)

    def _maybe_too_often(self) -> None:
        if self._too_often > 0:
            self._too_often -= 1
            raise Denied(11, "Requests too often. Minimum delay is 1 second")

    def _new(self, transaction_id: str, body: Body) -> Charge:
        if any(not body.get(name) for name in NEEDED):
            raise Denied(1, "Format error: " + ", ".join(name for name in NEEDED if not body.get(name)))
        if body["currency"] not in ("UZS", "USD", "RUB"):
            raise Denied(1, "Format error: currency")
        ttl = body.get("ttl") if isinstance(body.get("ttl"), int) else 15
        charge = Charge(
            uuid=str(uuid.uuid4()),
            transaction_id=transaction_id,
            amount=_amount(body["total_sum"]),
            currency=str(body["currency"]),
            description=str(body["description"]),
            is_two_stage=body.get("auto_capture") is False,
            notify_url=str(body.get("notify_url") or ""),
            return_url=str(body.get("return_url") or ""),
            expires_at=timezone.now() + timedelta(minutes=int(ttl or 15)),
        )
        self.charges[charge.uuid] = charge
        return charge

    def _takes_over(self, charge: Charge) -> bool:
        """Whether the notice is to arrive before the answer that names the payment."""
        with self.lock:
            if self._overtakes <= 0 or charge.status != "created":
                return False
            self._overtakes -= 1
            return True

    def _shown(self, charge: Charge, *, lies: bool = False) -> dict[str, Any]:
        with self.lock:
            self._age(charge)
            amount = charge.amount
            if lies and self._lies > 0:
                self._lies -= 1
                amount = self._lie
        return {
            "shop_transaction_id": charge.transaction_id,
            "octo_payment_UUID": charge.uuid,
            "octo_pay_url": self.pay_url(charge),
            "status": charge.status,
            "total_sum": float(amount),
            "refunded_sum": float(charge.refunded + self._rest(charge)),
        }

    def _rest(self, charge: Charge) -> Decimal:
        """What a partial capture left on the card; the papers do not say whether it counts as paid back."""
        is_counted = self.counts_rest_as_refunded and charge.status == "succeeded"
        return charge.amount - charge.captured if is_counted else Decimal(0)

    def _age(self, charge: Charge) -> None:
        if charge.status in ("created", "wait_user_action") and timezone.now() >= charge.expires_at:
            charge.status = "canceled"

    def pay_url(self, charge: Charge) -> str:
        """Our own page with the buttons."""
        return f"{settings.INTEGRATIONS.sandbox_url}/__sandbox/octo/pay/{charge.uuid}"

    def _set_accept(self, body: Body) -> dict[str, Any]:
        charge = self._known(body.get("octo_payment_UUID"))
        with self.lock:
            if charge.status != "waiting_for_capture":
                raise Denied(5, f"Payment is {charge.status}")
            if body.get("accept_status") == "cancel":
                charge.status = "canceled"
            elif body.get("accept_status") == "capture":
                self.capture(charge, _amount(body.get("final_amount")))
            else:
                raise Denied(1, "Format error: accept_status")
            back = charge.amount - charge.captured
        now = timezone.now().astimezone(TASHKENT).strftime("%Y-%m-%d %H:%M:%S")
        return {
            "octo_payment_UUID": charge.uuid,
            "status": charge.status,
            "transfer_sum": float(charge.captured),
            "refunded_sum": float(back) if self.counts_rest_as_refunded or charge.status != "succeeded" else 0.0,
            "payed_time": now,
        }

    def capture(self, charge: Charge, amount: Decimal) -> None:
        """Take held money. Raises `Denied` above what is held."""
        if amount > charge.amount:
            raise Denied(3, "final_amount is larger than the held amount")
        charge.status, charge.captured = "succeeded", amount

    def _refund(self, body: Body) -> dict[str, Any]:
        charge = self._known(body.get("octo_payment_UUID"))
        number, amount = body.get("shop_refund_id"), _amount(body.get("amount"))
        if not isinstance(number, str) or not number:
            raise Denied(1, "shop_refund_id is required")
        with self.lock:
            if self.refuses_repeats and number in charge.refunds:
                raise Denied(22, "Duplicate shop_refund_id")
            if number not in charge.refunds:
                self._ensure_refundable(charge, amount)
                made = {"refund_id": str(uuid.uuid4()), "amount": amount, "status": self.refund_word}
                charge.refunds[number] = made
                if made["status"] not in ("failed", "error", "canceled"):
                    charge.refunded += amount
            made = charge.refunds[number]
        return {
            "shop_refund_id": number,
            "octo_payment_UUID": charge.uuid,
            "refund_id": made["refund_id"],
            "refund_time": timezone.now().astimezone(TASHKENT).strftime("%Y-%m-%d %H:%M:%S"),
            "status": made["status"],
        }

    def _ensure_refundable(self, charge: Charge, amount: Decimal) -> None:
        if charge.status != "succeeded":
            raise Denied(22, f"Payment is {charge.status}")
        if amount > LARGEST_REFUND and charge.currency == "UZS":
            raise Denied(22, "Wrong amount to refund")
        if not 0 < amount <= charge.captured - charge.refunded:
            raise Denied(22, "Wrong amount to refund")

    def _known(self, number: Any) -> Charge:
        charge = self.charges.get(number) if isinstance(number, str) else None
        if charge is None:
            raise Denied(1, "Payment not found")
        return charge

    def failure(self, status: int, retry_after: int | None) -> Reply:
        return Reply.json({"error": 99, "errMessage": "Internal error", "data": None}, status)

    # Paying

    def find(self, key: str) -> Charge:
        """By OCTO's number or by the shop's. Raises `ControlRefused`."""
        found = self.charges.get(key) or next((c for c in self.charges.values() if c.transaction_id == key), None)
        if found is None:
            raise ControlRefused("No such payment", 404)
        self._age(found)
        return found

    def pay(self, key: str, *, is_late: bool = False) -> Notice:
        """A person pays: the signed notice, not yet posted. Paying again only repeats the notice.

        `is_late` takes money for a payment that had been cancelled, as happens when the bank was slower than the clock.
        """
        with self.lock:
            charge = self.find(key)
            if charge.status == "canceled" and not is_late:
                raise ControlRefused("The payment is cancelled")
            if charge.status in ("created", "wait_user_action", "canceled"):
                charge.status = "waiting_for_capture" if charge.is_two_stage else "succeeded"
                charge.captured = Decimal(0) if charge.is_two_stage else charge.amount
        return self.notice(charge)

    def cancel(self, key: str) -> Notice:
        """The person, the bank or the clock gives up."""
        with self.lock:
            charge = self.find(key)
            if charge.status not in ("created", "wait_user_action", "waiting_for_capture", "canceled"):
                raise ControlRefused(f"The payment is {charge.status}")
            charge.status = "canceled"
        return self.notice(charge)

    def enter_wrong_code(self, key: str) -> Notice | None:
        """Three wrong codes of the SMS cancel the payment."""
        charge = self.find(key)
        charge.wrong_codes += 1
        return self.cancel(key) if charge.wrong_codes >= WRONG_CODES_MOST else None

    def refund_in_cabinet(self, key: str, amount: Decimal) -> None:
        """Somebody gives money back in OCTO's own back office."""
        charge = self.find(key)
        if charge.status != "succeeded" or amount > charge.captured - charge.refunded:
            raise ControlRefused("Wrong amount to refund")
        charge.refunded += amount

    def settle_refund(self, number: str, outcome: str) -> None:
        """A pending refund ends: succeeded, failed or canceled."""
        for charge in self.charges.values():
            if number in charge.refunds:
                made = charge.refunds[number]
                if outcome != "succeeded" and made["status"] not in ("failed", "canceled"):
                    charge.refunded -= made["amount"]
                made["status"] = outcome
                return
        raise ControlRefused("No such refund", 404)

    def notice(self, charge: Charge, *, status: str = "", total: Decimal | None = None) -> Notice:
        """The signed notice about a payment as it is now, or as `status` and `total` pretend."""
        said = status or charge.status
        body = {
            "shop_transaction_id": charge.transaction_id,
            "octo_payment_UUID": charge.uuid,
            "status": said,
            **self._signature(charge.uuid, said),
            "total_sum": float(charge.amount if total is None else total),
            "transfer_sum": float(charge.captured * Decimal("0.98")),
            "refunded_sum": float(charge.refunded),
            "card_country": "UZ",
            "maskedPan": "860003******1234",
            "rrn": str(secrets.randbelow(10**12)),
            "riskLevel": 0,
            "payed_time": timezone.now().astimezone(TASHKENT).strftime("%Y-%m-%d %H:%M:%S"),
            "card_type": "UZCARD",
            "is_physical_card": True,
        }
        return Notice(charge.notify_url, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _signature(self, number: str, status: str) -> dict[str, str]:
        conf = settings.INTEGRATIONS
        hash_key = str(uuid.uuid4())
        left = conf.octo_unique_key
        if conf.octo_signature_scheme == "hash_key":
            left = hashlib.sha1(f"{left}{hash_key}".encode()).hexdigest()  # noqa: S324
        digest = hashlib.sha1(f"{left}{number}{status}".encode()).hexdigest().upper()  # noqa: S324
        return {"signature": "0" * 40 if self._is_forging() else digest, "hash_key": hash_key}

    def tell(self, notice: Notice) -> dict[str, Any]:
        """Post a notice as often as was ordered; the answer about held money is obeyed."""
        told: dict[str, Any] = {}
        for _ in range(max(1, self._repeats)):
            told = self.deliver(notice)
        asked = json.loads(notice.body)
        if asked["status"] == "waiting_for_capture" and told["status"] == 200:
            self._obey(asked["octo_payment_UUID"], told["body"])
        return told

    def _obey(self, number: str, answer: str) -> None:
        try:
            wish = json.loads(answer)
        except ValueError:
            return
        charge = self.charges[number]
        with self.lock:
            if charge.status != "waiting_for_capture" or not isinstance(wish, dict):
                return
            if wish.get("accept_status") == "cancel":
                charge.status = "canceled"
            elif wish.get("accept_status") == "capture":
                self.capture(charge, _amount(wish.get("final_amount", charge.amount)))

    # Control calls

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "pay": self._control_pay,
            "cancel": lambda body: self._told(self.cancel(_key(body)), body),
            "expire": lambda body: self._told(self.cancel(_key(body)), body),
            "wrong-code": self._control_wrong_code,
            "forge": self._control_forge,
            "lie": self._control_lie,
            "overtake": self._control_count("_overtakes"),
            "repeat": self._control_count("_repeats"),
            "too-often": self._control_count("_too_often"),
            "refund-word": self._control_refund_word,
            "settle-refund": self._control_settle_refund,
            "cabinet-refund": self._control_cabinet_refund,
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"payments": [self._shown(charge) for charge in list(self.charges.values())[-100:]]}

    def too_often(self, count: int = 1) -> None:
        """The next `count` status questions are answered error 11."""
        self._too_often = count

    def lie_about_amount(self, amount: Decimal, count: int = 1) -> None:
        """The next `count` status answers name this amount instead of the true one."""
        self._lie, self._lies = amount, count

    def overtake_next(self, count: int = 1) -> None:
        """The next `count` new payments are paid, and told about, before prepare_payment is answered."""
        self._overtakes = count

    def _told(self, notice: Notice, body: Body) -> dict[str, Any]:
        """`silent`: the deed is done and nobody hears of it."""
        return {"ok": True} if body.get("silent") is True else {"ok": True, "delivery": self.tell(notice)}

    def _control_pay(self, body: Body) -> dict[str, Any]:
        return self._told(self.pay(_key(body), is_late=body.get("late") is True), body)

    def _control_wrong_code(self, body: Body) -> dict[str, Any]:
        notice = self.enter_wrong_code(_key(body))
        return self._told(notice, body) if notice else {"ok": True}

    def _control_forge(self, body: Body) -> dict[str, Any]:
        """A notice that claims `status` for a payment, with a wrong signature and, if asked, another amount."""
        self.break_signatures(1)
        total = Decimal(whole(body, "total_sum")) if "total_sum" in body else None
        notice = self.notice(self.find(_key(body)), status=word(body, "status", "succeeded"), total=total)
        return {"ok": True, "delivery": self.deliver(notice)}

    def _control_lie(self, body: Body) -> dict[str, Any]:
        self.lie_about_amount(Decimal(whole(body, "total_sum")), whole(body, "count", 1))
        return {"ok": True}

    def _control_count(self, name: str) -> Control:
        def order(body: Body) -> dict[str, Any]:
            setattr(self, name, whole(body, "count", 1))
            return {"ok": True}

        return order

    def _control_refund_word(self, body: Body) -> dict[str, Any]:
        self.refund_word = word(body, "status", "succeeded")
        return {"ok": True}

    def _control_settle_refund(self, body: Body) -> dict[str, Any]:
        self.settle_refund(word(body, "shop_refund_id"), word(body, "status", "succeeded"))
        return {"ok": True}

    def _control_cabinet_refund(self, body: Body) -> dict[str, Any]:
        self.refund_in_cabinet(_key(body), Decimal(whole(body, "amount")))
        return {"ok": True}


def _key(body: Mapping[str, Any]) -> str:
    return word(body, "uuid", word(body, "shop_transaction_id", ""))


def _amount(given: Any) -> Decimal:
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        raise Denied(3, "Wrong amount") from None
    if not amount.is_finite() or not 0 < amount < 10**12:
        raise Denied(3, "Wrong amount")
    return amount
