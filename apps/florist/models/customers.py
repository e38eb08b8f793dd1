"""Buyers of one shop: addresses, important dates, standing orders (contract florist 1.4, 3.14, 6)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.florist.models.base import MONEY, OfShop, ShopQuerySet
from apps.florist.models.catalogue import SearchText

LEAP_YEAR = 2024
"""Has every day that any year has."""


def ensure_month_day(text: str) -> None:
    """`MM-DD` of a day that exists, 29 February among them. Raises `ValidationError`."""
    found = re.fullmatch(r"([0-9]{2})-([0-9]{2})", text)
    try:
        date(LEAP_YEAR, *map(int, found.groups() if found else (0, 0)))
    except ValueError as problem:
        raise ValidationError(_("This is no day of the year; write MM-DD")) from problem


class Customer(OfShop):
    """A buyer as this shop knows him; two shops know the same human separately.

    `orders_count`, `total_spent`, `last_order_date` count paid orders only and are recalculated on every change.
    """

    phone = models.CharField(_("phone"), max_length=20, help_text=_("E.164"))
    name = models.CharField(_("name"), max_length=100, null=True, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, null=True, blank=True)
    notes = models.TextField(_("notes"), max_length=2000, null=True, blank=True)
    preferences = models.TextField(_("preferences"), max_length=2000, null=True, blank=True)
    source = models.CharField(_("came from"), max_length=50, null=True, blank=True)
    orders_count = models.PositiveIntegerField(_("orders"), default=0)
    total_spent = models.DecimalField(_("spent"), default=Decimal(0), **MONEY)
    last_order_date = models.DateTimeField(_("last order"), null=True, blank=True)
    is_vip = models.BooleanField(_("VIP"), default=False)
    agrees_to_reminders = models.BooleanField(_("wants reminders"), default=True)
    search_text = SearchText(editable=False, default="")

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("buyer")
        verbose_name_plural = _("buyers")
        constraints = [models.UniqueConstraint(fields=["shop", "phone"], name="florist_one_customer_per_phone")]
        indexes = [models.Index(fields=["shop", "-created_at", "-id"], name="florist_customers_newest")]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"

    @property
    def search_words(self) -> tuple[str | None, ...]:
        """What a buyer is found by."""
        return self.name, self.email, self.phone


class CustomerAddress(models.Model):
    """Where a buyer sends flowers to."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="addresses", verbose_name=_("buyer"))
    address = models.CharField(_("address"), max_length=500)
    label = models.CharField(_("label"), max_length=100, null=True, blank=True)
    is_primary = models.BooleanField(_("primary"), default=False)
    usage_count = models.PositiveIntegerField(_("used"), default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_used_at", "-id"]
        verbose_name = _("address of a buyer")
        verbose_name_plural = _("addresses of buyers")
        constraints = [
            models.UniqueConstraint(fields=["customer", "address"], name="florist_address_once"),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(is_primary=True), name="florist_one_primary_address"
            ),
        ]

    def __str__(self) -> str:
        return self.label or f"#{self.pk}"


class ImportantDate(models.Model):
    """A birthday or a wedding: the buyer hears of it some days before, once a year."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="important_dates", verbose_name=_("buyer"))
    date = models.CharField(_("day"), max_length=5, help_text=_("MM-DD"), validators=[ensure_month_day])
    description = models.CharField(_("what"), max_length=200)
    remind_days_before = models.PositiveSmallIntegerField(_("remind, days before"), default=3)
    last_reminded_year = models.PositiveSmallIntegerField(_("last reminded"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["date", "id"]
        verbose_name = _("important date")
        verbose_name_plural = _("important dates")
        constraints = [
            models.UniqueConstraint(fields=["customer", "date", "description"], name="florist_date_once"),
        ]
        indexes = [models.Index(fields=["date"], name="florist_dates_of_year")]

    def __str__(self) -> str:
        return self.description


class StandingOrder(OfShop):
    """A subscription: the same order every so many days, made some days ahead; skipped or paused by a word."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="standing_orders", verbose_name=_("buyer"))
    status = models.CharField(_("status"), max_length=6, choices=Status, default=Status.ACTIVE)
    every_days = models.PositiveSmallIntegerField(_("every, days"), default=7)
    days_ahead = models.PositiveSmallIntegerField(_("made ahead, days"), default=2)
    next_day = models.DateField(_("next delivery"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    items = models.JSONField(_("lines"), help_text=_('[{"product_id": 1, "quantity": 1}, …]'))
    details = models.JSONField(
        _("how"), default=dict, blank=True, help_text=_("address, recipient, method, window, zone, card")
    )
    is_invoiced = models.BooleanField(_("by invoice"), default=False, help_text=_("A company pays by the month"))
    problem = models.CharField(
        _("why it paused"), max_length=200, blank=True, help_text=_("What kept the last order from being made")
    )

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["next_day", "id"]
        verbose_name = _("standing order")
        verbose_name_plural = _("standing orders")
        indexes = [models.Index(fields=["next_day", "id"], name="florist_standing_due", condition=Q(status="active"))]
        constraints = [models.CheckConstraint(condition=Q(every_days__gte=1), name="florist_standing_every_day")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BuyerTexts(OfShop):
    """How many text messages a shop has sent its buyers on one of its days; each costs the house money."""

    day = models.DateField(_("day"))
    sent = models.PositiveIntegerField(_("sent"), default=0)

    class Meta:
        ordering = ["-day", "-id"]
        verbose_name = _("text messages of a day")
        verbose_name_plural = _("text messages by day")
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="florist_texts_of_a_day")]

    def __str__(self) -> str:
        return f"{self.day:%d.%m.%Y}"
