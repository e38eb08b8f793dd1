"""Movements of cashback as guests and managers see them; each is one entry of the ledger (contract loyalty 2)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.loyalty.models.clients import Client
from apps.loyalty.models.staff import Staff


class CashbackTransaction(models.Model):
    """One movement of a purse. The sum of a guest's rows is the purse's balance; rows are never changed."""

    class Source(models.TextChoices):
        QR = "QR", "QR"
        ORDER = "ORDER", _("order")
        MANUAL = "MANUAL", _("by hand")

    class Kind(models.TextChoices):
        ADDED = "added", _("added by a manager")
        TAKEN = "taken", _("taken off by staff")
        ACCRUAL = "accrual", _("earned")
        PAYMENT = "payment", _("paid with")
        REFILL = "refill", _("topped up")
        REFILL_FROM_ORDER = "refill_order", _("topped up from an order")
        WELCOME = "welcome", _("welcome bonus")
        CORRECTION = "correction", _("corrected in iiko")
        LEVELLING = "levelling", _("brought to the balance in iiko")

    client = models.ForeignKey(
        Client, models.PROTECT, db_index=False, related_name="transactions", verbose_name=_("guest")
    )
    staff = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="transactions", verbose_name=_("by")
    )
    entry = models.OneToOneField("ledger.Entry", models.PROTECT, related_name="+", verbose_name=_("entry"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    balance_after = models.DecimalField(_("balance after"), max_digits=14, decimal_places=2)
    source = models.CharField(_("source"), max_length=6, choices=Source)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    branch_id = models.IntegerField(_("branch"), null=True, blank=True)
    iiko_event_id = models.CharField(_("notice of iiko"), max_length=128, unique=True, null=True, blank=True)
    iiko_uoc_id = models.CharField(_("operation in iiko"), max_length=128, null=True, blank=True)
    order_id = models.CharField(_("order in iiko"), max_length=64, blank=True)
    order_number = models.CharField(_("number of the order"), max_length=32, blank=True)
    note = models.CharField(_("why"), max_length=500, blank=True, help_text=_("As staff of the back office said"))
    created_at = models.DateTimeField(_("at"), default=timezone.now)

    objects: models.Manager[CashbackTransaction] = models.Manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("cashback movement")
        verbose_name_plural = _("cashback movements")
        permissions = [
            ("add_cashback", _("Can give cashback")),
            ("take_cashback", _("Can take cashback off")),
            ("export_cashbacktransaction", _("Can export cashback movements")),
        ]
        constraints = [models.CheckConstraint(condition=~models.Q(amount=0), name="loyalty_movement_moves")]
        indexes = [
            models.Index(fields=["client", "-id"], name="loyalty_history"),
            models.Index(fields=["branch_id", "-id"], name="loyalty_movements_of_branch"),
            models.Index(fields=["created_at"], name="loyalty_movements_by_time"),
        ]
