"""A Click that reads pay links, calls the merchant's Prepare and Complete, and serves status and reversal."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox.vendor import Body, Bounded, Control, ControlRefused, Notice, Vendor, whole, word

TASHKENT = ZoneInfo("Asia/Tashkent")
PATH = re.compile(r"/(?P<deed>status_by_mti|status|reversal)/(?P<service>[^/]+)/(?P<key>[^/]+)(?:/(?P<day>[^/]+))?/?$")
CARD_TROUBLE = -5017


@dataclass
class ClickPayment:
    """One payment as Click keeps it. `status`: 0 created, 1 in work, 2 paid, below 0 failed, -99 taken back."""

    number: int
    trans_id: int
    mti: str
    amount: str
    status: int = 0
    prepare_id: Any = None
    day: str = field(default_factory=lambda: timezone.now().astimezone(TASHKENT).date().isoformat())


class FakeClickPay(Vendor):
    """Click for the configured service. `carry` brings a call to the shop and its answer's text back."""

    name: ClassVar[str] = "click"

    def forget(self) -> None:
        self.payments: dict[int, ClickPayment] = Bounded()
        self.carry: Callable[[Notice], str] = self._carry_by_http
        self._last = 10**6 + secrets.randbelow(10**6)

    def _carry_by_http(self, notice: Notice) -> str:
        return str(self.deliver(notice)["body"])

    # The Merchant API

    def answer(self, asked: Asked) -> Reply:
        found = PATH.search(asked.path)
        if not self._is_ours(asked.headers.get("auth", "")):
            return Reply.json({"error_code": -401, "error_note": "Authentication failed"}, 401)
        if not found or found["service"] != settings.INTEGRATIONS.click_service_id:
            return Reply.json({"error_code": -404, "error_note": "Not found"})
        payment = self._by(found["deed"], found["key"], found["day"])
        if payment is None:
            return Reply.json({"error_code": -16, "error_note": "Payment not found"})
        if found["deed"] == "reversal":
            return self._reverse(payment, asked.method)
        words = {"payment_id": payment.number, "merchant_trans_id": payment.mti, "payment_status": payment.status}
        return Reply.json({"error_code": 0, "error_note": "Success", **words})

    def _is_ours(self, given: str) -> bool:
        conf = settings.INTEGRATIONS
        user, _colon, rest = given.partition(":")
        digest, _colon, at = rest.partition(":")
        expected = hashlib.sha1(f"{at}{conf.click_secret_key}".encode()).hexdigest()  # noqa: S324
        return user == conf.click_merchant_user_id and digest == expected

    def _by(self, deed: str, key: str, day: str | None) -> ClickPayment | None:
        if deed == "status_by_mti":
            return next((one for one in reversed(self.payments.values()) if (one.mti, one.day) == (key, day)), None)
        return self.payments.get(int(key)) if key.isascii() and key.isdigit() else None

    def _reverse(self, payment: ClickPayment, method: str) -> Reply:
        with self.lock:
            if method != "DELETE" or payment.status != 2:
                return Reply.json({"error_code": -17, "error_note": "The payment cannot be reversed"})
            payment.status = -99
        return Reply.json({"error_code": 0, "error_note": "Success", "payment_id": payment.number})

    # Calls to the merchant

    def begin(self, mti: str, amount: str) -> ClickPayment:
        """A person opens a link."""
        with self.lock:
            self._last += 1
            payment = ClickPayment(number=self._last, trans_id=self._last + 10**9, mti=mti, amount=amount)
            self.payments[payment.number] = payment
        return payment

    def notice(self, payment: ClickPayment, action: int, *, error: int = 0, **changes: Any) -> Notice:
        """Prepare (0) or Complete (1) ready to be posted; `changes` replace fields after the signature was made,

        except those in `signed`, which replace them before.
        """
        signed: dict[str, Any] = changes.pop("signed", {})
        fields: dict[str, Any] = {
            "click_trans_id": payment.trans_id,
            "service_id": settings.INTEGRATIONS.click_service_id,
            "click_paydoc_id": payment.number,
            "merchant_trans_id": payment.mti,
            "amount": payment.amount,
            "action": action,
            "error": error,
            "error_note": "Success" if error == 0 else "Card trouble",
            "sign_time": timezone.now().astimezone(TASHKENT).strftime("%Y-%m-%d %H:%M:%S"),
        }
        if action == 1:
            fields["merchant_prepare_id"] = payment.prepare_id
        fields |= signed
        fields["sign_string"] = "0" * 32 if self._is_forging() else self._sign(fields)
        fields |= changes
        url = f"{self.webhook_url()}/{'complete' if action else 'prepare'}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Notice(url, headers, urlencode(fields).encode())

    def _sign(self, fields: dict[str, Any]) -> str:
        prepared = fields.get("merchant_prepare_id", "") if fields["action"] == 1 else ""
        left = f"{fields['click_trans_id']}{fields['service_id']}{settings.INTEGRATIONS.click_secret_key}"
        right = f"{fields['merchant_trans_id']}{prepared}{fields['amount']}{fields['action']}{fields['sign_time']}"
        return hashlib.md5(f"{left}{right}".encode()).hexdigest()  # noqa: S324

    def send(self, payment: ClickPayment, action: int, *, error: int = 0, **changes: Any) -> dict[str, Any]:
        """Make the call and keep what the merchant answered: {error: 0…-9, …}, or {} when it cannot be read."""
        try:
            answer = json.loads(self.carry(self.notice(payment, action, error=error, **changes)))
        except ValueError:
            return {}
        if not isinstance(answer, dict):
            return {}
        if action == 0 and answer.get("error") == 0:
            payment.prepare_id, payment.status = answer.get("merchant_prepare_id"), 1
        if action == 1 and answer.get("error") == 0:
            payment.status = 2
        if answer.get("error") == -9 or error < 0:
            payment.status = error or -1
        return answer

    def pay(self, mti: str, amount: str, *, error: int = 0) -> dict[str, Any]:
        """A person pays: Prepare, then Complete; with `error` the card refuses in between."""
        payment = self.begin(mti, amount)
        last = self.send(payment, 0)
        if last.get("error") == 0:
            last = self.send(payment, 1, error=error)
        return {"ok": last.get("error") == 0, "payment_id": payment.number, "last": last}

    def matrix(self, first: tuple[str, str], second: tuple[str, str], third: tuple[str, str]) -> list[Any]:
        """Click's official check of a merchant, fifteen steps over three payable orders: the codes answered."""
        one, two, three = (self.begin(mti, amount) for mti, amount in (first, second, third))
        nobody = self.begin("no-such-order", first[1])
        return [
            step.get("error")
            for step in (
                self.send(one, 0, sign_string="bad"),
                self.send(nobody, 0),
                self.send(one, 0),
                self.send(one, 1, sign_string="bad"),
                self.send(one, 1, signed={"amount": "300"}),
                self.send(one, 1),
                self.send(one, 1),
                self.send(one, 1, error=CARD_TROUBLE),
                self.send(two, 0),
                self.send(two, 1, signed={"merchant_prepare_id": 999999999}),
                self.send(two, 1),
                self.send(three, 0),
                self.send(three, 1, error=CARD_TROUBLE),
                self.send(three, 1, error=CARD_TROUBLE),
                self.send(three, 1),
            )
        ]

    def controls(self) -> dict[str, Control]:
        return {**super().controls(), "pay": self._control_pay, "repeat": self._control_repeat}

    def state(self) -> dict[str, Any]:
        return {"payments": [vars(payment) for payment in list(self.payments.values())[-100:]]}

    def _control_pay(self, body: Body) -> dict[str, Any]:
        return self.pay(word(body, "merchant_trans_id"), word(body, "amount"), error=whole(body, "error", 0))

    def _control_repeat(self, body: Body) -> dict[str, Any]:
        payment = self.payments.get(whole(body, "payment_id"))
        if payment is None:
            raise ControlRefused("No such payment", 404)
        return {"ok": True, "last": self.send(payment, 1, error=whole(body, "error", 0))}
