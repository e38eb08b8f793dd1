"""Writes of payments. Products learn of money through `payments.events` only; `purpose` and `reference` are theirs.

Lock order: payments of one reference by id, then refunds, then the product's own rows (its `@on` handlers run last).
"""

from apps.integrations.ports import BasketLine
from apps.payments.actions.asking import ask_gateway, reconcile
from apps.payments.actions.cash import take_cash
from apps.payments.actions.click import answer_click
from apps.payments.actions.flagging import look_needed
from apps.payments.actions.holding import cancel_hold, capture, carry_out
from apps.payments.actions.inbox import ask_about_event, looked_at
from apps.payments.actions.notices import receive_notice
from apps.payments.actions.payme import answer_payme
from apps.payments.actions.refunding import conclude_by_staff, refund, refund_by_staff, send_refund
from apps.payments.actions.settling import expire, fail, hold, settle
from apps.payments.actions.stars import answer_stars_question, receive_stars, stars_went_back
from apps.payments.actions.starting import offered_methods, offered_wallets, start
from apps.payments.actions.wallet_notices import receive_crypto_notice, receive_yukassa_notice
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
    NotRefundable,
    PaymentSettled,
    ReasonMissing,
    RefundOnlyWhole,
    RefundSettled,
    RefundTooSmall,
    UnknownPayment,
    WrongAmount,
)
from apps.payments.gateways import Contact

__all__ = [
    "AlreadyPaid",
    "AlreadyRefunded",
    "BasketLine",
    "Contact",
    "GatewayDown",
    "GatewayRefused",
    "GatewaySilent",
    "KeyReused",
    "MethodNotOffered",
    "NotHeld",
    "NotPaid",
    "NotPermitted",
    "NotRefundable",
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
    "answer_stars_question",
    "ask_about_event",
    "ask_gateway",
    "cancel_hold",
    "capture",
    "carry_out",
    "conclude_by_staff",
    "expire",
    "fail",
    "hold",
    "look_needed",
    "looked_at",
    "offered_methods",
    "offered_wallets",
    "receive_crypto_notice",
    "receive_notice",
    "receive_stars",
    "receive_yukassa_notice",
    "reconcile",
    "refund",
    "refund_by_staff",
    "send_refund",
    "settle",
    "stars_went_back",
    "start",
    "take_cash",
]
