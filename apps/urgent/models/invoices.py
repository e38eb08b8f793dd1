"""What members want to put on their balances (contract urgent 3.7); the money itself is a matter of `payments`."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Invoice(models.Model):
    """One top-up of `amount` whole roubles. Its payment has the purpose `conf.TOPUP` and our number as reference.

    `amount` is the only figure that is ever credited; what the payment took, roubles or Stars, is not looked at.
    """

    member = models.ForeignKey("urgent.Member", models.PROTECT, related_name="invoices", verbose_name=_("member"))
    amount = models.PositiveIntegerField(_("amount, RUB"))
    entry = models.OneToOneField(
        "ledger.Entry", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ledger entry")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    shortfall = models.PositiveIntegerField(
        _("shortfall, RUB"), default=0, help_text=_("Paid back by the provider after the person had spent it")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gte=1), name="urgent_invoice_of_something"),
        ]
        indexes = [models.Index(fields=["member", "-id"], name="urgent_invoices_of_member")]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.amount} RUB"
