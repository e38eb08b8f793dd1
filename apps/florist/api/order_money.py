"""Money of orders: Kaspi's notice, pay links, cash and transfers, the way back (contract florist 1.2, 3.6)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema

from apps.core import wire
from apps.core.errors import Invalid
from apps.core.idempotency import KeyReused
from apps.core.routing import path
from apps.core.wire import endpoint
from apps.florist import errors
from apps.florist.actions import payments, stops
from apps.florist.api import order_shapes as shapes
from apps.florist.api.orders import OrderView, key_of
from apps.florist.models import Order
from apps.florist.queries import orders as questions
from apps.payments import actions as gateway

SIGNATURE_HEADER = "X-Signature"
SIGNATURE_DOCUMENT = OpenApiParameter(
    SIGNATURE_HEADER,
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Hex HMAC-SHA256 of the raw body under PAYMENT_WEBHOOK_SECRET",
)


class MoneyView(OrderView):
    """What was paid and went back."""

    tag = "order payments"

    def money(self, request: Any, order_id: int) -> dict[str, Any]:
        """MoneyOut."""
        order = questions.one(by=request.member, order_id=order_id)
        methods = payments.offered(request.member.shop) if order.outstanding else []
        return questions.money_out(order, questions.payments_of(order), methods)


class PaymentNotice(MoneyView):
    """Kaspi tells."""

    @extend_schema(parameters=[SIGNATURE_DOCUMENT], request=shapes.NoticeIn)
    @endpoint(
        path=shapes.OrderPath,
        answers={200: shapes.NoticeOut},
        refusals=[errors.NoticeNotGenuine, errors.OrderNotFound, errors.PaymentNotMade, errors.PaymentDiffers, Invalid],
        summary="Kaspi's notice",
    )
    def post(self, request: Any, *, order_id: int) -> dict[str, Any]:
        """Signed over the raw body in `X-Signature`; one `payment_id` counts once, and the amount is the order's."""
        given = wire.read_json(request)
        payments.ensure_genuine(bytes(request.body), request.headers.get(SIGNATURE_HEADER, ""))
        body: shapes.NoticeIn = wire.read_shape(shapes.NoticeIn, given, "body")
        order = payments.receive_notice(
            order_id=order_id,
            payment_id=body.payment_id,
            amount=body.amount,
            succeeded=body.status == "success",
        )
        return {
            "status": "success",
            "order_id": order.pk,
            "payment_status": "confirmed",
            "order_status": order.status,
        }


class Pay(MoneyView):
    """By a gateway."""

    managed = frozenset({"POST"})

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.PayIn,
        login="required",
        answers={200: shapes.PayOut},
        refusals=[
            errors.OrderNotFound,
            errors.NothingToPay,
            errors.CurrencyNotTaken,
            gateway.AlreadyPaid,
            gateway.KeyReused,
            gateway.GatewayRefused,
            gateway.GatewayDown,
            gateway.GatewaySilent,
        ],
        summary="A link to pay by",
    )
    def post(self, request: Any, *, order_id: int, body: shapes.PayIn) -> dict[str, Any]:
        """For what is still to be paid; an open payment of the same sum is used again."""
        payment = payments.begin(
            by=request.member,
            order_id=order_id,
            method=body.method,
            return_url=body.return_url or "",
            key=key_of(request),
        )
        return {
            "order_id": order_id,
            "payment_id": payment.pk,
            "method": payment.method,
            "status": payment.status,
            "amount": payment.amount,
            "currency": payment.currency,
            "pay_url": payment.pay_url,
        }


class OrderMoney(MoneyView):
    """Money of an order."""

    @endpoint(
        path=shapes.OrderPath,
        login="required",
        answers={200: shapes.MoneyOut},
        refusals=[errors.OrderNotFound],
        summary="What was paid and went back",
    )
    def get(self, request: Any, *, order_id: int) -> dict[str, Any]:
        """And how the rest can be paid."""
        return self.money(request, order_id)

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.MoneyIn,
        login="required",
        answers={201: shapes.MoneyOut},
        refusals=[
            errors.OrderNotFound,
            errors.NothingToPay,
            errors.CashWithoutStop,
            errors.DayAccepted,
            KeyReused,
        ],
        summary="Write money down",
    )
    def post(self, request: Any, *, order_id: int, body: shapes.MoneyIn) -> dict[str, Any]:
        """Cash by whoever brings or hands over the order, all else by the desk; the same key counts once.

        A courier's cash is his stop's and stands in his day.
        """
        deed: Any = payments.write_down
        more: dict[str, Any] = {"method": body.method}
        if body.method == Order.PaymentMethod.CASH:
            deed, more = stops.take_cash, {}
        deed(by=request.member, order_id=order_id, amount=body.amount, key=key_of(request), **more)
        return self.money(request, order_id)


class OrderRefund(MoneyView):
    """Money goes back."""

    managed = frozenset({"POST"})

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.BackIn,
        body_optional=True,
        login="required",
        answers={200: shapes.MoneyOut},
        refusals=[errors.OrderNotFound, errors.NothingToPayBack, gateway.RefundOnlyWhole, gateway.RefundTooSmall],
        summary="Pay back what is due",
    )
    def post(self, request: Any, *, order_id: int, body: shapes.BackIn) -> dict[str, Any]:
        """Through the gateway that collected it; otherwise the desk has handed it over."""
        key = key_of(request)
        payments.pay_back(by=request.member, order_id=order_id, amount=body.amount, key=key, by_hand=body.by_hand)
        return self.money(request, order_id)


urlpatterns = [
    path("api/orders/<str:order_id>/payment-webhook", PaymentNotice, name="order-payment-webhook"),
    path("api/orders/<str:order_id>/pay", Pay, name="order-pay"),
    path("api/orders/<str:order_id>/payments", OrderMoney, name="order-money"),
    path("api/orders/<str:order_id>/refund", OrderRefund, name="order-refund"),
]
