"""Payments by card over HTTP (contract shop 1.7). Every name that any revision of the original took is taken."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import RequestDataTooBig
from pydantic import AliasChoices, Field

from apps.core.errors import Invalid
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.payments import actions as gateway
from apps.payments.models import Payment
from apps.shop import errors
from apps.shop.actions import payments
from apps.shop.actions.payments import ToPay
from apps.shop.actions.placing import LONGEST_KEY, Wish
from apps.shop.api.base import AdminView, ShopView
from apps.shop.api.orders import NewLine
from apps.shop.api.users import Id, Skip
from apps.shop.queries import payments as questions

Amount = Annotated[Decimal, Field(gt=0, lt=10**12)]
Words = Annotated[str, Field(max_length=255)]
Number = Annotated[str, Field(min_length=1, max_length=64)]


class Piece(NewLine):
    """Goods that are ordered and paid in one go: one piece unless told otherwise."""

    quantity: Annotated[int, Field(ge=1, le=2_147_483_647)] = 1


class CreateIn(Shape):
    """What to pay: an order, or goods, or else the cart. `amount` is compared with the order's total, never charged."""

    order_id: Id | None = Field(None, validation_alias=AliasChoices("order_id", "orderId", "order"))
    items: list[Piece] | None = None
    amount: Amount | None = Field(None, validation_alias=AliasChoices("amount", "total_sum", "total", "sum"))
    description: Words | None = Field(None, validation_alias=AliasChoices("description", "desc", "title"))

    def to_pay(self, key: str) -> ToPay:
        """The same in the words of the rules. An empty list of items is none: the cart is meant."""
        wishes = tuple(Wish(line.slipper_id, line.quantity, line.notes) for line in self.items or ())
        return ToPay(self.order_id, wishes, self.amount, self.description or "", key)


class CreateOut(Shape):
    """Send the buyer to `redirect_url`; `pay_url` is its name of the seed's day."""

    order_id: int
    redirect_url: str
    pay_url: str
    payment_uuid: str | None
    shop_transaction_id: str
    amount: float
    currency: str
    status: str


class RefundIn(Shape):
    """Which money to give back, by any of three names; without an amount all that is left."""

    number: Number | None = Field(None, validation_alias=AliasChoices("octo_payment_UUID", "payment_uuid"))
    order_id: Id | None = Field(None, validation_alias=AliasChoices("order_id", "orderId", "order"))
    amount: Amount | None = None
    shop_refund_id: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)] | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


class RefundOut(Shape):
    """Both answers of the original in one. `success` is also true for money that is only on its way."""

    order_id: int
    status: str
    success: bool
    message: str
    refund_id: str
    refund_status: str
    refunded_amount: float
    payment_status: str


class PaymentOut(Shape):
    """A payment; `payment_uuid` is null until the gateway has named it."""

    order_id: int
    payment_uuid: str | None
    shop_transaction_id: str
    method: str
    status: str
    amount: float
    currency: str
    captured_amount: float
    refunded_amount: float
    needs_attention: bool
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    refunded_at: datetime | None


class PaymentPage(Shape):
    """A page of payments."""

    items: list[PaymentOut]
    total: int
    page: int
    pages: int
    has_next: bool
    has_prev: bool


class Filters(Shape):
    """Which payments."""

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    status: Payment.Status | None = None
    order_id: Id | None = None


class NumberPath(Shape):
    """OCTO's number of a payment."""

    number: Number


class CaptureIn(Shape):
    """How much of the held money to take; without it all."""

    amount: Amount | None = None


class NoticeOut(Shape):
    """`accept_status` tells OCTO what becomes of held money."""

    ok: bool = True
    accept_status: str | None = None
    final_amount: float | None = None


class Counts(Shape):
    """How many were asked about."""

    payments: int
    refunds: int


def key_of(request: Any) -> str:
    """The caller's `Idempotency-Key` (or with an X in front), empty without one. Raises `Invalid` above 64 letters."""
    headers = request.headers
    key = str(headers.get("Idempotency-Key", "") or headers.get("X-Idempotency-Key", "")).strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        msg = f"Value error, at most {LONGEST_KEY} printable characters"
        raise Invalid.field("Idempotency-Key", msg, where="header", given=key[:LONGEST_KEY])
    return key


class Create(ShopView):
    """Begin to pay."""

    tag = "payments"

    @endpoint(
        body=CreateIn,
        body_optional=True,
        login="required",
        answers={200: CreateOut},
        refusals=[
            errors.OrderNotFound,
            errors.OrderOfAnother,
            errors.OrderPaidBack,
            errors.OrderNotPending,
            errors.CartEmpty,
            errors.SlipperNotFound,
            errors.NotEnoughStock,
            errors.PaymentsNotSetUp,
            gateway.AlreadyPaid,
            gateway.KeyReused,
            gateway.GatewayRefused,
            gateway.GatewayDown,
            gateway.GatewaySilent,
        ],
        summary="Pay an order, goods, or the cart",
    )
    def post(self, request: Any, *, body: CreateIn) -> dict[str, Any]:
        """An open payment of the same order is used again; the row is written before the bank is called."""
        return questions.begun(payments.begin(by=request.member, what=body.to_pay(key_of(request))))


class Refund(AdminView):
    """Give money back."""

    tag = "payments"

    @endpoint(
        body=RefundIn,
        login="required",
        answers={200: RefundOut},
        refusals=[
            errors.NotAnAdmin,
            errors.OrderNotFound,
            errors.NoPayment,
            gateway.UnknownPayment,
            gateway.AlreadyRefunded,
            gateway.NotPaid,
            gateway.RefundTooSmall,
            gateway.KeyReused,
            gateway.GatewayRefused,
        ],
        summary="Refund a paid order, all or a part",
    )
    def post(self, request: Any, *, body: RefundIn) -> dict[str, Any]:
        """Whichever attempt is named, the money that was really paid goes back (D9)."""
        refund = payments.refund(
            by=request.member,
            order_id=body.order_id,
            number=body.number or "",
            amount=body.amount,
            key=key_of(request) or body.shop_refund_id or "",
            reason=body.reason,
        )
        return questions.refunded(refund)


class Notify(ShopView):
    """OCTO tells."""

    tag = "payments"

    @endpoint(
        answers={200: NoticeOut},
        refusals=[gateway.NoticeMalformed, gateway.NoticeForged],
        summary="OCTO's notice",
    )
    def post(self, request: Any) -> dict[str, Any]:
        """Proven by its signature, kept once; what it says is asked back before anything moves (D4)."""
        return gateway.receive_notice(raw=raw_body(request), content_type=request.content_type or "")


def raw_body(request: Any) -> bytes:
    """The bytes as they came; nothing past the size that is read at all."""
    try:
        return bytes(request.body)
    except RequestDataTooBig:
        return b""


class OnePayment(ShopView):
    """One payment."""

    tag = "payments"

    @endpoint(
        path=NumberPath,
        login="required",
        answers={200: PaymentOut},
        refusals=[gateway.UnknownPayment],
        summary="A payment",
    )
    def get(self, request: Any, *, number: str) -> dict[str, Any]:
        """For the buyer and for administrators."""
        return questions.shown(questions.one(by=request.member, number=number))


class Capture(AdminView):
    """Held money is taken."""

    tag = "payments"

    @endpoint(
        path=NumberPath,
        body=CaptureIn,
        body_optional=True,
        login="required",
        answers={200: PaymentOut},
        refusals=[errors.NotAnAdmin, gateway.UnknownPayment, gateway.NotHeld, gateway.KeyReused],
        summary="Take held money, all or a part",
    )
    def post(self, request: Any, *, number: str, body: CaptureIn) -> dict[str, Any]:
        """What is not taken goes back to the card."""
        return questions.shown(payments.capture(by=request.member, number=number, amount=body.amount))


class Cancel(AdminView):
    """Held money is let go."""

    tag = "payments"

    @endpoint(
        path=NumberPath,
        login="required",
        answers={200: PaymentOut},
        refusals=[errors.NotAnAdmin, gateway.UnknownPayment, gateway.NotHeld, gateway.KeyReused],
        summary="Let held money go",
    )
    def post(self, request: Any, *, number: str) -> dict[str, Any]:
        """The order keeps waiting for its payment."""
        return questions.shown(payments.cancel_hold(by=request.member, number=number))


class Payments(AdminView):
    """The list."""

    tag = "payments"

    @endpoint(
        query=Filters, login="required", answers={200: PaymentPage}, refusals=[errors.NotAnAdmin], summary="Payments"
    )
    def get(self, request: Any, *, query: Filters) -> dict[str, Any]:
        """Newest first."""
        items, total = questions.listed(
            status=query.status or "", order_id=query.order_id, skip=query.skip, limit=query.limit
        )
        return self.wire.paged(items, total, skip=query.skip, limit=query.limit)


class Reconcile(AdminView):
    """Ask the bank now."""

    tag = "payments"

    @endpoint(login="required", answers={200: Counts}, refusals=[errors.NotAnAdmin], summary="Ask about open payments")
    def post(self, request: Any) -> dict[str, int]:
        """The same round as the schedule's: whose turn it is, at most a hundred."""
        return payments.reconcile(by=request.member)


urlpatterns = [
    path("payments", Payments, name="payment-list"),
    path("payments/octo/create", Create, name="payment-create"),
    path("payments/octo/refund", Refund, name="payment-refund"),
    path("payments/octo/notify", Notify, name="payment-notify"),
    path("payments/octo/reconcile", Reconcile, name="payment-reconcile"),
    path("payments/octo/<str:number>", OnePayment, name="payment"),
    path("payments/octo/<str:number>/capture", Capture, name="payment-capture"),
    path("payments/octo/<str:number>/cancel", Cancel, name="payment-cancel"),
]
