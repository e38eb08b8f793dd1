"""The standing people and payments of the tests, and the way from the fake gateways to our webhooks."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission
from django.http import QueryDict
from django.test import Client

from apps.accounts.models import User
from apps.core.money import Money
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.octo import Charge
from apps.integrations.sandbox.vendor import Notice
from apps.payments import actions
from apps.payments.models import Attempt, Payment, PaymentEvent, Refund

PURPOSE, REFERENCE = "test.bill", "41"


def person(name: str) -> User:
    """Somebody with a name and nothing else."""
    return User.objects.create_user(username=name)


def staff(name: str, *rights: str) -> User:
    """A member of staff with these rights of payments."""
    worker = User.objects.create_user(username=name, is_staff=True)
    worker.user_permissions.add(*Permission.objects.filter(content_type__app_label="payments", codename__in=rights))
    return User.objects.get(pk=worker.pk)


def som(amount: str | int) -> Money:
    """So many soum."""
    return Money(Decimal(amount), "UZS")


def start(payer: User | None, amount: str | int = 150_000, key: str = "first", **changes: Any) -> Payment:
    """A payment by OCTO with everything filled in."""
    words = {
        "purpose": PURPOSE,
        "reference": REFERENCE,
        "method": "octo",
        "description": "Order #41",
        "return_url": "https://shop.example/back",
        **changes,
    }
    return actions.start(by=payer, payer=payer, amount=som(amount), key=key, **words)


def charge_of(payment: Payment) -> Charge:
    """The same payment as OCTO keeps it."""
    return vendors.octo.find(payment.shop_transaction_id)


def post_notice(client: Client, notice: Notice) -> Any:
    """Bring OCTO's notice to our webhook."""
    return client.post("/payments/octo/notify", notice.body, content_type="application/json")


def pay(client: Client, payment: Payment) -> Payment:
    """The buyer pays and OCTO tells us."""
    answer = post_notice(client, vendors.octo.pay(payment.shop_transaction_id))
    assert answer.status_code == 200, answer.content
    return fresh(payment)


def fresh(payment: Payment) -> Payment:
    """The payment as it stands in the database."""
    return Payment.objects.get(pk=payment.pk)


def through(client: Client) -> Callable[[Notice], str]:
    """A `carry` for Payme and Click that posts to our views in this process."""

    def carry(notice: Notice) -> str:
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in notice.headers.items()}
        kind = headers.pop("HTTP_CONTENT_TYPE")
        path = "/" + notice.url.split("/", 3)[3]
        answer = client.generic("POST", path, notice.body, content_type=kind, **headers)
        assert answer.status_code == 200
        return str(answer.content.decode())

    return carry


def books() -> list[Any]:
    """Every row of payments, for refusals that must change nothing."""
    return [model.objects.all() for model in (Payment, Refund, Attempt, PaymentEvent)]


def call_payme(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """One JSON-RPC call with the right key, without a web server: for threads."""
    notice = vendors.payme.notice(method, params)
    return actions.answer_payme(raw=notice.body, authorization=notice.headers["Authorization"])


def fields_of(notice: Notice) -> dict[str, str]:
    """The form of a Click call: for threads."""
    return {str(name): str(value) for name, value in QueryDict(notice.body).items()}
