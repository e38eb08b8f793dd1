"""A Payme that reads checkout links and then calls the merchant, as the real one does; its bench is a control call."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox.vendor import Body, Bounded, Control, ControlRefused, Notice, Vendor, whole, word


@dataclass(frozen=True)
class Checkout:
    """What a link says."""

    account: str
    amount: int
    return_url: str


class FakePayme(Vendor):
    """Payme for the configured merchant. `carry` brings a call to the shop and its answer's text back."""

    name: ClassVar[str] = "payme"

    def forget(self) -> None:
        self.transactions: dict[str, str] = Bounded()
        self.carry: Callable[[Notice], str] = self._carry_by_http
        self._number = 0

    def answer(self, asked: Asked) -> Reply:
        return Reply.json({"detail": "Payme calls you; open a checkout link"}, 404)

    def _carry_by_http(self, notice: Notice) -> str:
        return str(self.deliver(notice)["body"])

    def read_link(self, token: str) -> Checkout:
        """The parts of a checkout link. Raises `ControlRefused` for rubbish and for another merchant's."""
        try:
            text = base64.b64decode(token, validate=True).decode()
            parts = dict(part.partition("=")[::2] for part in text.split(";"))
            conf = settings.INTEGRATIONS
            if parts["m"] != conf.payme_merchant_id:
                raise ControlRefused("Another merchant's link", 404)
            return Checkout(parts[f"ac.{conf.payme_account_field}"], int(parts["a"]), parts.get("c", ""))
        except (binascii.Error, ValueError, KeyError):
            raise ControlRefused("This is no checkout link", 404) from None

    # Calls to the merchant

    def call(self, method: str, params: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """One JSON-RPC call with the right key, or with `key`."""
        self._number += 1
        notice = self.notice(method, params, key=key)
        try:
            answer = json.loads(self.carry(notice))
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}

    def notice(self, method: str, params: dict[str, Any], *, key: str | None = None) -> Notice:
        """The call, ready to be posted."""
        secret = settings.INTEGRATIONS.payme_key if key is None else key
        if self._is_forging():
            secret = "forged"  # noqa: S105
        token = base64.b64encode(f"Paycom:{secret}".encode()).decode()
        headers = {"Content-Type": "text/json; charset=UTF-8", "Authorization": f"Basic {token}"}
        body = json.dumps({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return Notice(self.webhook_url(), headers, body.encode())

    def account(self, value: str) -> dict[str, str]:
        """The `account` object of a call."""
        return {settings.INTEGRATIONS.payme_account_field: value}

    def pay(self, account: str, amount: int, *, stop_after: str = "") -> dict[str, Any]:
        """A person pays: check, create, perform. `stop_after` "check" or "create" leaves it there.

        Answers {ok, transaction, last}: the last answer of the merchant.
        """
        number = secrets.token_hex(12)
        asked = {"amount": amount, "account": self.account(account)}
        last = self.call("CheckPerformTransaction", asked)
        if "result" not in last or stop_after == "check":
            return {"ok": "result" in last, "transaction": "", "last": last}
        last = self.call("CreateTransaction", {"id": number, "time": int(time.time() * 1000), **asked})
        if "result" not in last or stop_after == "create":
            return {"ok": "result" in last, "transaction": number, "last": last}
        self.transactions[account] = number
        last = self.call("PerformTransaction", {"id": number})
        return {"ok": "result" in last, "transaction": number, "last": last}

    def cancel(self, number: str, reason: int = 5) -> dict[str, Any]:
        """The cabinet's "give back", or the clock's cancel."""
        return self.call("CancelTransaction", {"id": number, "reason": reason})

    def bench(self, account: str, amount: int) -> list[tuple[str, Any]]:
        """Payme's own test bench over one payable account: what each step answered, an error code or a state."""
        first, second, now = secrets.token_hex(12), secrets.token_hex(12), int(time.time() * 1000)
        right = {"amount": amount, "account": self.account(account)}
        create = {"id": first, "time": now, **right}
        wrong = {"account": self.account("nobody"), "amount": amount}
        return [
            ("wrong key", _verdict(self.call("CheckPerformTransaction", right, key="wrong"))),
            ("wrong amount", _verdict(self.call("CheckPerformTransaction", {**right, "amount": amount + 1}))),
            ("wrong account", _verdict(self.call("CheckPerformTransaction", wrong))),
            ("check", _verdict(self.call("CheckPerformTransaction", right))),
            ("create", _verdict(self.call("CreateTransaction", create))),
            ("create again", _verdict(self.call("CreateTransaction", create))),
            ("second id", _verdict(self.call("CreateTransaction", {**create, "id": second}))),
            ("perform", _verdict(self.call("PerformTransaction", {"id": first}))),
            ("perform again", _verdict(self.call("PerformTransaction", {"id": first}))),
            ("cancel", _verdict(self.cancel(first))),
            ("cancel again", _verdict(self.cancel(first))),
            ("check it", _verdict(self.call("CheckTransaction", {"id": first}))),
            ("unknown", _verdict(self.call("CheckTransaction", {"id": second}))),
            ("statement", len(self.statement(now, now))),
        ]

    def statement(self, since: int, until: int) -> list[dict[str, Any]]:
        """What the merchant says it has."""
        result = self.call("GetStatement", {"from": since, "to": until}).get("result", {})
        found: list[dict[str, Any]] = result.get("transactions", [])
        return found

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "pay": self._control_pay,
            "refund": self._control_refund,
            "bench": self._control_bench,
        }

    def state(self) -> dict[str, Any]:
        return {"transactions": dict(self.transactions)}

    def _control_pay(self, body: Body) -> dict[str, Any]:
        return self.pay(word(body, "account"), whole(body, "amount"), stop_after=word(body, "stop_after", ""))

    def _control_refund(self, body: Body) -> dict[str, Any]:
        number = self.transactions.get(word(body, "account"))
        if not number:
            raise ControlRefused("Nothing was paid on this account", 404)
        return {"ok": True, "last": self.cancel(number, whole(body, "reason", 5))}

    def _control_bench(self, body: Body) -> dict[str, Any]:
        return {"ok": True, "steps": self.bench(word(body, "account"), whole(body, "amount"))}


def _verdict(answer: dict[str, Any]) -> Any:
    """The error's code, else the state, else the result."""
    if "error" in answer:
        return answer["error"]["code"]
    result = answer.get("result")
    return result.get("state", result) if isinstance(result, dict) else result
