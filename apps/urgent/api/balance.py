"""Prepaid balance: figure, developer recharge, invoices, notices of CryptoBot and YooKassa (contract urgent 1.1 rows
15 to 19, and 10).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from pydantic import Field

from apps.core.errors import TooLarge, TooMany
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.urgent import errors
from apps.urgent.actions import balance as actions
from apps.urgent.actions import invoices
from apps.urgent.api.base import UrgentView
from apps.urgent.queries import balance as queries

Amount = Annotated[int, Field(ge=1, le=100_000)]


class BalanceOut(Shape):
    """Whole roubles."""

    balance: int


class RechargeIn(Shape):
    """`method` is only remembered: it was a column of 50 characters in the original."""

    amount: Amount
    method: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]+$")] = "telegram_stars"


class RechargeOut(Shape):
    success: Literal[True]
    new_balance: int
    transaction_id: int


class InvoiceIn(Shape):
    """`provider` is ours: the original's clients never send it and get the operator's choice."""

    amount: Amount
    provider: Literal["crypto_bot", "telegram_stars", "yukassa"] | None = None


class InvoiceOut(Shape):
    """`mini_app_invoice_url` begins with https://t.me/ or is null: the front end's SDK throws on anything else."""

    payment_id: int
    pay_url: str
    mini_app_invoice_url: str | None


class PaymentPath(Shape):
    payment_id: int


class PaymentOut(Shape):
    payment_id: int
    status: Literal["pending", "paid", "expired"]
    amount: int
    new_balance: int | None


class NoticeOut(Shape):
    ok: bool


def raw_body(request: Any) -> bytes:
    """The bytes that were signed. Raises `TooLarge` past the limit."""
    try:
        return bytes(request.body)
    except RequestDataTooBig as problem:
        raise TooLarge(megabytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20) from problem


class Balance(UrgentView):
    """The member's money."""

    tag = "balance"

    @endpoint(summary="My balance", login="required", answers={200: BalanceOut})
    def get(self, request: Any) -> dict[str, int]:
        """Whole roubles."""
        return {"balance": queries.balance(request.member)}


class Recharge(UrgentView):
    """Money without a payment."""

    tag = "balance"

    @endpoint(
        summary="Developer recharge",
        body=RechargeIn,
        login="required",
        answers={200: RechargeOut},
        refusals=[errors.DevRechargeOff, errors.MemberBlocked, errors.TooManyRecharges],
    )
    def post(self, request: Any, *, body: RechargeIn) -> dict[str, Any]:
        """Credits at once, in development only; 403 in production."""
        entry = actions.recharge(by=request.member, amount=body.amount, method=body.method)
        return {"success": True, "new_balance": int(entry.balance_after or 0), "transaction_id": entry.pk}


class CreateInvoice(UrgentView):
    """A bill to pay."""

    tag = "balance"

    @endpoint(
        summary="Create an invoice",
        body=InvoiceIn,
        login="required",
        answers={200: InvoiceOut},
        refusals=[
            errors.MemberBlocked,
            errors.TooManyRecharges,
            errors.PaymentProviderFailed,
            errors.PaymentsNotConfigured,
        ],
    )
    def post(self, request: Any, *, body: InvoiceIn) -> dict[str, Any]:
        """Pay at `pay_url`, or inside Telegram at `mini_app_invoice_url`; poll the status."""
        invoice = invoices.create(by=request.member, amount=body.amount, provider=body.provider or "")
        payment = queries.payment_of(invoice)
        return {
            "payment_id": invoice.pk,
            "pay_url": payment.pay_url,
            "mini_app_invoice_url": payment.mini_app_url or None,
        }


class PaymentStatus(UrgentView):
    """What became of a bill."""

    tag = "balance"

    @endpoint(
        summary="Payment status",
        path=PaymentPath,
        login="required",
        answers={200: PaymentOut},
        refusals=[errors.PaymentNotFound],
    )
    def get(self, request: Any, *, payment_id: int) -> dict[str, Any]:
        """The balance is the present one and only there once the bill is paid."""
        invoice = queries.invoice_of(request.member, payment_id)
        if invoice is None:
            raise errors.PaymentNotFound()
        status = queries.wire_status(invoice)
        balance = queries.balance(request.member) if status == "paid" else None
        return {"payment_id": invoice.pk, "status": status, "amount": invoice.amount, "new_balance": balance}


class CryptoBotNotice(UrgentView):
    """CryptoBot tells us that a bill was paid."""

    tag = "webhooks"

    @endpoint(
        summary="CryptoBot webhook",
        login="none",
        answers={200: NoticeOut},
        refusals=[errors.NoticeForged, errors.NoticeMalformed, TooLarge],
    )
    def post(self, request: Any) -> dict[str, bool]:
        """401 for a bad signature, 400 for what cannot be read, 200 for everything else, repeats included (D12)."""
        invoices.receive_notice(raw=raw_body(request), signature=request.headers.get("crypto-pay-api-signature", ""))
        return {"ok": True}


class YukassaNotice(UrgentView):
    """YooKassa tells us that something happened to a payment."""

    tag = "webhooks"

    @endpoint(
        summary="YooKassa webhook",
        login="none",
        answers={200: NoticeOut},
        refusals=[errors.NoticeMalformed, errors.PaymentProviderFailed, TooMany, TooLarge],
    )
    def post(self, request: Any) -> dict[str, bool]:
        """Unsigned, hence only a reason to ask: 400 for what cannot be read, 200 for everything else, repeats and
        unknown payments included; 502 when YooKassa cannot be asked, so that it sends the notice again.
        """
        invoices.receive_yukassa_notice(raw=raw_body(request))
        return {"ok": True}


urlpatterns = [
    path("api/balance", Balance, name="balance"),
    path("api/balance/recharge", Recharge, name="recharge"),
    path("api/balance/create-invoice", CreateInvoice, name="create-invoice"),
    path("api/balance/payment/<str:payment_id>/status", PaymentStatus, name="payment-status"),
    path("api/balance/webhook/crypto-bot", CryptoBotNotice, name="crypto-bot-notice"),
    path("api/balance/webhook/yukassa", YukassaNotice, name="yukassa-notice"),
]
