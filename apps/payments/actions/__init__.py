"""Writes of payments. Products learn of money through `payments.events` only; `purpose` and `reference` are theirs.

Lock order: payments of one reference by id, then refunds, then the product's own rows (its `@on` handlers run last).
"""

from apps.integrations.ports import BasketLine
from apps.payments.actions.asking import ask_gateway, reconcile
from apps.payments.actions.cash import take_cash
from apps.payments.actions.click import answer_click
from apps.payments.actions.holding import cancel_hold, capture, carry_out
from apps.payments.actions.inbox import ask_about_event, looked_at
from apps.payments.actions.notices import receive_notice
from apps.payments.actions.payme import answer_payme
from apps.payments.actions.refunding import refund, refund_by_staff, send_refund
from apps.payments.actions.settling import expire, fail, hold, settle
from apps.payments.actions.starting import offered_methods, start
from apps.payments.errors import (
    AlreadyPaid,
    AlreadyRefunded,
    GatewayDown,
    GatewayRefused,
    GatewaySilent,
    KeyReused,
    MethodNotOffered,
    NotHeld,
    NoticeForged,
    NoticeMalformed,
    NotPaid,
    NotPermitted,
    PaymentSettled,
    ReasonMissing,
    RefundOnlyWhole,
    RefundSettled,
    RefundTooSmall,
    UnknownPayment,
    WrongAmount,
)

__all__ = [
    "AlreadyPaid",
    "AlreadyRefunded",
    "BasketLine",
    "GatewayDown",
    "GatewayRefused",
    "GatewaySilent",
    "KeyReused",
    "MethodNotOffered",
    "NotHeld",
    "NotPaid",
    "NotPermitted",
    "NoticeForged",
    "NoticeMalformed",
    "PaymentSettled",
    "ReasonMissing",
    "RefundOnlyWhole",
    "RefundSettled",
    "RefundTooSmall",
    "UnknownPayment",
    "WrongAmount",
    "answer_click",
    "answer_payme",
    "ask_about_event",
    "ask_gateway",
    "cancel_hold",
    "capture",
    "carry_out",
    "expire",
    "fail",
    "hold",
    "looked_at",
    "offered_methods",
    "receive_notice",
    "reconcile",
    "refund",
    "refund_by_staff",
    "send_refund",
    "settle",
    "start",
    "take_cash",
]
