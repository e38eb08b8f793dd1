"""What can be true about money that comes from outside: payments, refunds, gateway attempts and notices."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.money import Money

WORDS_LENGTH = 200
"""Longest reference and key, in characters."""


def money_field(**options: Any) -> models.DecimalField[Any, Any]:
    """An amount in units of the row's currency, never in tiyin."""
    return models.DecimalField(max_digits=14, decimal_places=2, **options)


def new_transaction_id() -> str:
    """Our name for a payment at its gateway: its idempotency key, and not to be guessed."""
    return uuid.uuid4().hex


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Payments."""

    def of(self, purpose: str, reference: str) -> PaymentQuerySet:
        """Every payment of one thing that is paid for, newest first."""
        return self.filter(purpose=purpose, reference=reference).order_by("-created_at", "-id")

    def open(self) -> PaymentQuerySet:
        """Not decided yet: money may still come."""
        return self.filter(status__in=Payment.OPEN)

    def settled(self) -> PaymentQuerySet:
        """Money came, and perhaps went back later."""
        return self.filter(status__in=(Payment.Status.PAID, Payment.Status.REFUNDED))

    def due(self, now: datetime) -> PaymentQuerySet:
        """Whose turn it is to be asked about, oldest first."""
        return self.filter(check_at__lte=now).order_by("check_at", "id")


class Payment(models.Model):
    """One attempt to be paid `amount` for (`purpose`, `reference`). Written and committed before a gateway is called.

    `amount` is the only figure that a product is ever told; what a notice says about money is compared, not believed.
    """

    class Method(models.TextChoices):
        """Who collects the money."""

        OCTO = "octo", "OCTO"
        PAYME = "payme", "Payme"
        CLICK = "click", "Click"
        CASH = "cash", _("cash")
        CRYPTO_BOT = "crypto_bot", "CryptoBot"
        STARS = "telegram_stars", "Telegram Stars"
        YUKASSA = "yukassa", "YooKassa"

    class Status(models.TextChoices):
        """The life of a payment (contract shop 4.4); `held` is the first half of a two-stage payment."""

        CREATED = "created", _("created")
        PENDING = "pending", _("waiting for payment")
        HELD = "held", _("held")
        PAID = "paid", _("paid")
        REFUNDED = "refunded", _("paid back")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Wish(models.TextChoices):
        """What we have decided about held money and the gateway may not know yet."""

        NONE = "", "–"
        CAPTURE = "capture", _("take it")
        CANCEL = "cancel", _("let it go")

    OPEN = (Status.CREATED, Status.PENDING, Status.HELD)
    SETTLED = (Status.PAID, Status.REFUNDED)
    ENDED = (Status.FAILED, Status.CANCELLED)

    purpose = models.CharField(_("purpose"), max_length=40, help_text=_("e.g. shop.order; whose event handler reacts"))
    reference = models.CharField(_("reference"), max_length=WORDS_LENGTH, help_text=_("the product's own id"))
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        verbose_name=_("payer"),
    )
    method = models.CharField(_("method"), max_length=20, choices=Method.choices)
    is_two_stage = models.BooleanField(_("two stages"), default=False)
    amount = money_field(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    description = models.CharField(_("description"), max_length=255)
    basket = models.JSONField(_("fiscal basket"), default=list, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=2, default="ru")
    key = models.CharField(_("key"), max_length=WORDS_LENGTH, help_text=_("the caller's; same key, same payment"))
    fingerprint = models.CharField(max_length=64)

    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.CREATED)
    wish = models.CharField(_("decision about held money"), max_length=8, choices=Wish.choices, blank=True)
    wish_amount = money_field(null=True, blank=True)
    shop_transaction_id = models.CharField(
        _("our transaction id"), max_length=64, unique=True, default=new_transaction_id, editable=False
    )
    vendor_id = models.CharField(
        _("gateway's number"), max_length=255, null=True, blank=True, help_text=_("Empty while it is unknown")
    )
    vendor_payer = models.CharField(
        _("payer at the gateway"), max_length=64, blank=True, help_text=_("Telegram id of whoever paid in Stars")
    )
    vendor_word = models.CharField(_("gateway's own status"), max_length=40, blank=True)
    pay_url = models.CharField(max_length=2000, blank=True)
    mini_app_url = models.CharField(
        _("payment page in Telegram"), max_length=512, blank=True, help_text=_("Begins with https://t.me/ or is empty")
    )
    captured_amount = money_field(verbose_name=_("taken"), default=Decimal(0))
    refunding_amount = money_field(
        verbose_name=_("refunds asked"), default=Decimal(0), help_text=_("sum of the refunds that have not failed")
    )
    refunded_amount = money_field(verbose_name=_("paid back"), default=Decimal(0))
    is_superseded = models.BooleanField(
        _("superseded"), default=False, help_text=_("a newer payment took its place; late money still counts")
    )
    is_surplus = models.BooleanField(
        _("surplus"), default=False, help_text=_("the thing had been paid already; this money goes back")
    )
    needs_attention = models.BooleanField(_("needs a look"), default=False)
    note = models.CharField(_("note"), max_length=500, blank=True, help_text=_("What staff should know"))

    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("payable until"))
    held_at = models.DateTimeField(_("held at"), null=True, blank=True)
    hold_until = models.DateTimeField(_("held until"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("paid back at"), null=True, blank=True)
    check_at = models.DateTimeField(_("ask again at"), null=True, blank=True)
    checked_at = models.DateTimeField(_("asked last at"), null=True, blank=True)
    checks_count = models.PositiveIntegerField(_("times asked"), default=0)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [
            ("refund_payment", "Can give money back"),
            ("handle_payment", "Can ask gateways and decide about held money"),
            ("export_payment", "Can export payments"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "reference", "key"], name="one_payment_per_key"),
            models.UniqueConstraint(
                fields=["method", "vendor_id"],
                condition=Q(vendor_id__isnull=False),
                name="one_payment_per_gateway_number",
            ),
            models.UniqueConstraint(
                fields=["purpose", "reference"],
                condition=Q(status="paid", is_surplus=False),
                name="one_settled_payment_per_reference",
            ),
            models.UniqueConstraint(
                fields=["purpose", "reference"],
                condition=Q(status__in=("created", "pending", "held"), is_superseded=False),
                name="one_open_payment_per_reference",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_of_something"),
            models.CheckConstraint(
                condition=Q(captured_amount__gte=0, captured_amount__lte=F("amount")), name="payment_captured_in_amount"
            ),
            models.CheckConstraint(
                condition=Q(refunding_amount__gte=0, refunding_amount__lte=F("captured_amount")),
                name="payment_refunds_in_captured",
            ),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("refunding_amount")),
                name="payment_refunded_was_asked",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("paid", "refunded")) | Q(paid_at__isnull=False, captured_amount__gt=0),
                name="payment_paid_means_captured",
            ),
            models.CheckConstraint(
                condition=~Q(status="refunded") | Q(refunded_amount=F("captured_amount")),
                name="payment_refunded_means_all",
            ),
        ]
        indexes = [
            models.Index(fields=["purpose", "reference", "-created_at"], name="payments_of_a_thing"),
            models.Index(fields=["check_at", "id"], name="payments_due", condition=Q(check_at__isnull=False)),
            models.Index(fields=["payer", "-id"], name="payments_of_a_payer"),
            models.Index(fields=["paid_at"], name="payments_paid", condition=Q(paid_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.money}, {self.get_method_display()}"

    @property
    def money(self) -> Money:
        """What was asked for."""
        return Money(self.amount, self.currency)

    @property
    def is_open(self) -> bool:
        """Whether money may still come."""
        return self.status in self.OPEN

    @property
    def is_settled(self) -> bool:
        """Whether money came, be it paid back later."""
        return self.status in self.SETTLED

    @property
    def refundable(self) -> Decimal:
        """What can still be asked back."""
        left: Decimal = self.captured_amount - self.refunding_amount
        return left

    @property
    def final_amount(self) -> Decimal:
        """What is taken when the payment succeeds: less than `amount` after a partial capture."""
        decided: Decimal = (self.wish == self.Wish.CAPTURE and self.wish_amount) or self.amount
        return decided


class RefundQuerySet(models.QuerySet["Refund"]):
    """Refunds."""

    def due(self, now: datetime) -> RefundQuerySet:
        """Whose turn it is to be sent or asked about, oldest first."""
        return self.filter(check_at__lte=now, status__in=Refund.OPEN).order_by("check_at", "id")


class Refund(models.Model):
    """One call to give money back. Written, with its amount reserved on the payment, before the gateway is called.

    A wish above the gateway's largest call becomes several rows with the same `key` and different `part`.
    """

    class Status(models.TextChoices):
        """`pending`: the gateway took the wish, the money has not arrived (accepted is not done)."""

        NEW = "new", _("new")
        PENDING = "pending", _("on its way")
        SUCCEEDED = "succeeded", _("paid back")
        FAILED = "failed", _("failed")

    OPEN = (Status.NEW, Status.PENDING)

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment"))
    amount = money_field(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    key = models.CharField(_("key"), max_length=WORDS_LENGTH)
    part = models.PositiveSmallIntegerField(_("part"), default=1)
    fingerprint = models.CharField(max_length=64)
    shop_refund_id = models.CharField(
        _("our refund id"), max_length=64, unique=True, default=new_transaction_id, editable=False
    )
    vendor_refund_id = models.CharField(_("gateway's number"), max_length=64, blank=True)
    vendor_word = models.CharField(_("gateway's own status"), max_length=40, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.NEW)
    reason = models.CharField(_("reason"), max_length=500)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked by"),
        help_text=_("empty for the system and for the gateway itself"),
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    check_at = models.DateTimeField(_("ask again at"), null=True, blank=True)
    checks_count = models.PositiveIntegerField(_("times asked"), default=0)

    objects = RefundQuerySet.as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        permissions = [("export_refund", "Can export refunds")]
        constraints = [
            models.UniqueConstraint(fields=["payment", "key", "part"], name="one_refund_per_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_of_something"),
        ]
        indexes = [
            models.Index(fields=["check_at", "id"], name="refunds_due", condition=Q(status__in=("new", "pending"))),
            models.Index(fields=["settled_at"], name="refunds_settled", condition=Q(settled_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}: {Money(self.amount, self.currency)}"


class Attempt(models.Model):
    """One transaction of a gateway that calls us (Payme, Click) on a payment; its number is what they are answered.

    `state` in Payme's words: 1 created, 2 performed, -1 cancelled before, -2 cancelled after it was performed.
    """

    class State(models.IntegerChoices):
        CREATED = 1, _("created")
        PERFORMED = 2, _("performed")
        CANCELLED = -1, _("cancelled")
        TAKEN_BACK = -2, _("taken back")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="attempts", verbose_name=_("payment"))
    method = models.CharField(_("method"), max_length=20, choices=Payment.Method.choices)
    vendor_id = models.CharField(_("gateway's number"), max_length=64)
    amount = money_field(verbose_name=_("amount"))
    state = models.SmallIntegerField(_("state"), choices=State.choices, default=State.CREATED)
    reason = models.SmallIntegerField(_("reason of the cancel"), null=True, blank=True)
    vendor_time = models.BigIntegerField(_("gateway's clock, ms"), default=0)
    created_ms = models.BigIntegerField(default=0)
    performed_ms = models.BigIntegerField(default=0)
    cancelled_ms = models.BigIntegerField(default=0)
    fiscal = models.JSONField(_("fiscal receipt"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["method", "vendor_id"], name="one_attempt_per_gateway_number"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state=1, method="payme"), name="one_live_payme_attempt"
            ),
        ]
        indexes = [models.Index(fields=["method", "vendor_time"], name="attempts_by_gateway_time")]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {self.vendor_id}"


class PaymentEvent(models.Model):
    """The receipt of one notice of a gateway; a repeat finds the row and only counts.

    Forged notices are kept too, one row per payment and word, so that staff see who knocks at the door.
    """

    method = models.CharField(_("method"), max_length=20, choices=Payment.Method.choices)
    external_id = models.CharField(_("what makes it unique"), max_length=200)
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, blank=True, related_name="events", verbose_name=_("payment")
    )
    word = models.CharField(_("gateway's own status"), max_length=40, blank=True)
    is_genuine = models.BooleanField(_("genuine"), default=False)
    payload = models.JSONField(_("content"), default=dict, help_text=_("without card numbers, names and signatures"))
    result = models.CharField(_("what came of it"), max_length=200, blank=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)
    repeats_count = models.PositiveIntegerField(_("repeats"), default=0)

    class Meta:
        verbose_name = _("gateway notice")
        verbose_name_plural = _("gateway notices")
        constraints = [models.UniqueConstraint(fields=["method", "external_id"], name="one_event_per_notice")]
        indexes = [
            models.Index(fields=["received_at"], name="events_unprocessed", condition=Q(processed_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {self.word}"


class GatewayKey(models.Model):
    """A key that a gateway has changed by itself (Payme's ChangePassword); only its digest is kept."""

    method = models.CharField(_("method"), max_length=20, choices=Payment.Method.choices, unique=True)
    digest = models.CharField(max_length=64)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)

    class Meta:
        verbose_name = _("gateway key")
        verbose_name_plural = _("gateway keys")

    def __str__(self) -> str:
        return self.get_method_display()
