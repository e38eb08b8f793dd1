"""Bills that put money on a balance: CryptoBot, Telegram Stars and YooKassa (contract urgent 3.7 and 10)."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def new_mark() -> str:
    """A name that no other house with the same bot or app could have given: numbers of rows repeat, this does not."""
    return f"urgent-{secrets.token_urlsafe(18)}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Invoices."""

    def unsettled(self) -> InvoiceQuerySet:
        """Still waiting for money or for the provider's word."""
        return self.filter(status=Invoice.Status.PENDING)

    def due(self, now: datetime) -> InvoiceQuerySet:
        """Whose turn it is to be asked about."""
        return self.unsettled().filter(check_at__lte=now).order_by("check_at", "id")


class Invoice(models.Model):
    """One bill for `amount` whole roubles. Written and committed before the provider is called.

    `amount` is the only figure that is ever credited; what a provider's notice says about money is ignored.
    """

    class Provider(models.TextChoices):
        """Who collects the money."""

        CRYPTO_BOT = "crypto_bot", "CryptoBot"
        STARS = "telegram_stars", "Telegram Stars"
        YUKASSA = "yukassa", "YooKassa"

    class Status(models.TextChoices):
        """The life of a bill; `refused` (the provider never issued it) reads as `expired` on the wire."""

        PENDING = "pending", _("waiting for payment")
        PAID = "paid", _("paid")
        EXPIRED = "expired", _("expired")
        REFUSED = "refused", _("not issued")
        REFUNDED = "refunded", _("paid back")

    member = models.ForeignKey("urgent.Member", models.PROTECT, related_name="invoices", verbose_name=_("member"))
    provider = models.CharField(_("provider"), max_length=20, choices=Provider.choices)
    amount = models.PositiveIntegerField(_("amount, RUB"))
    stars = models.PositiveIntegerField(_("price in Stars"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    mark = models.CharField(
        _("our mark"),
        max_length=64,
        unique=True,
        default=new_mark,
        editable=False,
        help_text=_("Our name for the bill at the provider; finds the row when the provider's number is unknown"),
    )
    provider_invoice_id = models.BigIntegerField(
        _("provider's number"), null=True, blank=True, help_text=_("Empty while it is unknown whether the bill exists")
    )
    charge_id = models.CharField(
        _("charge"), max_length=255, null=True, blank=True, help_text=_("Id of the payment at Telegram or YooKassa")
    )
    payer_id = models.BigIntegerField(
        _("payer"), null=True, blank=True, help_text=_("Telegram id of whoever paid the Stars; they go back there")
    )
    pay_url = models.CharField(_("payment page"), max_length=512, blank=True)
    mini_app_url = models.CharField(
        _("payment page in Telegram"), max_length=512, blank=True, help_text=_("Begins with https://t.me/ or is empty")
    )
    entry = models.OneToOneField(
        "ledger.Entry", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ledger entry")
    )
    note = models.CharField(_("note"), max_length=500, blank=True, help_text=_("What staff should know"))
    needs_attention = models.BooleanField(_("needs a look"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("payable until"))
    check_at = models.DateTimeField(
        _("ask again at"), null=True, blank=True, help_text=_("When the reconcile job asks the provider next")
    )
    checks_count = models.PositiveIntegerField(_("times asked"), default=0)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("paid back at"), null=True, blank=True)
    shortfall = models.PositiveIntegerField(
        _("shortfall, RUB"), default=0, help_text=_("Paid back by the provider after the person had spent it")
    )

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        permissions = [("handle_payments", "Can ask payment providers and give money back")]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_invoice_id"],
                condition=models.Q(provider_invoice_id__isnull=False),
                name="urgent_one_row_per_provider_invoice",
            ),
            models.UniqueConstraint(
                fields=["provider", "charge_id"],
                condition=models.Q(charge_id__isnull=False),
                name="urgent_one_row_per_charge",
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=1), name="urgent_invoice_of_something"),
            models.CheckConstraint(
                condition=~models.Q(status__in=("paid", "refunded"))
                | models.Q(entry__isnull=False, paid_at__isnull=False),
                name="urgent_paid_means_credited",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-id"], name="urgent_invoices_of_member"),
            models.Index(fields=["check_at", "id"], name="urgent_invoices_due", condition=models.Q(status="pending")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.amount} RUB, {self.get_provider_display()}"

    @property
    def wire_status(self) -> str:
        """pending, paid or expired: the only words that clients know."""
        return {self.Status.REFUSED: "expired", self.Status.REFUNDED: "paid"}.get(self.Status(self.status), self.status)


class StrayPayment(models.Model):
    """Money that a provider took twice, or for nothing we know: to be given back, never kept, never ignored."""

    provider = models.CharField(_("provider"), max_length=20, choices=Invoice.Provider.choices)
    charge_id = models.CharField(_("charge"), max_length=255)
    telegram_id = models.BigIntegerField(_("payer"))
    amount = models.PositiveIntegerField(_("amount"), help_text=_("In the provider's unit: Stars"))
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, null=True, blank=True, related_name="strays", verbose_name=_("invoice")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    returned_at = models.DateTimeField(_("given back at"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("stray payment")
        verbose_name_plural = _("stray payments")
        constraints = [models.UniqueConstraint(fields=["provider", "charge_id"], name="urgent_one_stray_per_charge")]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.amount}"
