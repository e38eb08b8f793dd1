"""Orders and the takes of their contacts (contract urgent 2.1, 2.3)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet


def new_order_id() -> str:
    """Twelve URL-safe characters (72 random bits); may start with `-` or `_`."""
    return secrets.token_urlsafe(9)


def payment_key(order_id: str, slot: int) -> str:
    """The ledger's key for the price of one place."""
    return f"take:{order_id}:{slot}"


class OrderQuerySet(VisibleQuerySet["Order"]):
    """Orders."""

    def visible_to(self, by: Any) -> OrderQuerySet:
        """Everybody sees orders; a deleted one exists only for its owner (D14)."""
        gone = models.Q(status=Order.Status.DELETED)
        return self.filter(~gone) if by is None else self.filter(~gone | models.Q(client_id=by.pk))

    def due(self, now: datetime) -> OrderQuerySet:
        """Active orders whose lifetime or answer time is over; served by a partial index."""
        return self.filter(status=Order.Status.ACTIVE, due_at__lte=now)


class Order(models.Model):
    """A client's wish. `status` is written by `states` only; `due_at` is when the timer must look at an active one."""

    class Category(models.TextChoices):
        """The wire value is the Russian text: clients send exactly these (contract urgent 2.2)."""

        PLUMBING = "Сантехника", _("Plumbing")
        ELECTRICS = "Электрика", _("Electrics")
        REPAIRS = "Бытовой ремонт", _("Home repairs")
        CLEANING = "Клининг", _("Cleaning")
        ASSEMBLY = "Сборка/установка", _("Assembly and installation")
        APPLIANCES = "Бытовая техника", _("Home appliances")
        OTHER = "Другое", _("Other")

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        EXPIRED = "expired", _("expired")
        DELETED = "deleted", _("deleted")
        CLOSED_NO_RESPONSE = "closed_no_response", _("closed without an answer")
        COMPLETED = "completed", _("completed")

    id = models.CharField(primary_key=True, max_length=32, default=new_order_id, editable=False)
    client = models.ForeignKey(
        "urgent.Member", models.PROTECT, related_name="orders", db_index=False, verbose_name=_("client")
    )
    category = models.CharField(_("category"), max_length=50, choices=Category.choices)
    description = models.TextField(_("description"), max_length=1000)
    city = models.CharField(_("city"), max_length=100)
    contact = models.CharField(
        _("contact"), max_length=100, help_text=_("The paid secret: only owner and takers see it")
    )
    contact_normalized = models.CharField(max_length=400, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.ACTIVE)
    city_locked = models.BooleanField(default=True)
    expires_in_minutes = models.PositiveIntegerField(_("lifetime, minutes"), default=60)
    max_executors = models.PositiveSmallIntegerField(_("places"), default=3)
    takes_count = models.PositiveSmallIntegerField(_("taken places"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    expires_at = models.DateTimeField(_("runs out"))
    due_at = models.DateTimeField(
        help_text=_("When the timer looks: the end of the lifetime, or earlier the end of the time to answer")
    )
    first_taken_at = models.DateTimeField(_("first taken"), null=True, blank=True)
    customer_responded_at = models.DateTimeField(_("client answered"), null=True, blank=True)
    finished_at = models.DateTimeField(
        _("finished"), null=True, blank=True, help_text=_("When it was completed, closed or ran out")
    )
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, blank=True, help_text=_("Of the first shown review; written by the review actions")
    )
    review_comment = models.CharField(_("review"), max_length=500, null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(
                fields=["contact_normalized"],
                condition=models.Q(status="active"),
                name="urgent_one_active_order_per_contact",
            ),
            models.CheckConstraint(
                condition=models.Q(takes_count__lte=models.F("max_executors")), name="urgent_no_more_takes_than_places"
            ),
            models.CheckConstraint(
                condition=models.Q(due_at__lte=models.F("expires_at")), name="urgent_due_within_lifetime"
            ),
            models.CheckConstraint(
                condition=models.Q(rating=None) | models.Q(rating__range=(1, 5)),
                name="urgent_order_rating_of_one_to_five",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="urgent_orders_due", condition=models.Q(status="active")),
            models.Index(
                fields=["-created_at", "-id"], name="urgent_orders_active", condition=models.Q(status="active")
            ),
            models.Index(
                fields=["city", "category", "-created_at"],
                name="urgent_orders_by_city",
                condition=models.Q(status="active"),
            ),
            models.Index(
                fields=["category", "-created_at"],
                name="urgent_orders_by_category",
                condition=models.Q(status="active"),
            ),
            models.Index(
                fields=["-created_at", "-id"], name="urgent_orders_expired", condition=models.Q(status="expired")
            ),
            models.Index(
                fields=["-created_at", "-id"], name="urgent_orders_done", condition=models.Q(status="completed")
            ),
            models.Index(fields=["client", "-created_at"], name="urgent_orders_of_client"),
            models.Index(fields=["created_at"], name="urgent_orders_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.id} · {self.category}, {self.city}"

    def is_past_lifetime(self, now: datetime) -> bool:
        """Over at the very moment of `created_at` plus lifetime (contract urgent 3.1)."""
        return now >= self.expires_at

    def is_due(self, now: datetime) -> bool:
        """Active on paper, but its lifetime or its time to answer is over."""
        return self.status == self.Status.ACTIVE and now >= self.due_at


class Take(models.Model):
    """An executor's purchase of one contact: the place (`slot`), what was paid, and whether it was given back."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="takes", db_index=False, verbose_name=_("order"))
    executor = models.ForeignKey(
        "urgent.Member", models.PROTECT, related_name="takes", db_index=False, verbose_name=_("executor")
    )
    slot = models.PositiveSmallIntegerField(_("place"))
    price = models.PositiveIntegerField(_("paid, RUB"))
    taken_at = models.DateTimeField(_("taken"), default=timezone.now)
    refunded_at = models.DateTimeField(_("refunded"), null=True, blank=True)
    refund_reason = models.CharField(_("why refunded"), max_length=500, blank=True)

    class Meta:
        ordering = ["order", "slot"]
        verbose_name = _("take")
        verbose_name_plural = _("takes")
        permissions = [("refund_take", "Can give an executor his money back")]
        constraints = [
            models.UniqueConstraint(fields=["order", "executor"], name="urgent_one_take_per_executor"),
            models.UniqueConstraint(fields=["order", "slot"], name="urgent_one_take_per_place"),
            models.CheckConstraint(condition=models.Q(slot__gte=1), name="urgent_places_start_at_one"),
        ]
        indexes = [
            models.Index(fields=["executor", "-taken_at"], name="urgent_takes_of_executor"),
            models.Index(fields=["taken_at"], name="urgent_takes_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} #{self.slot}"

    @property
    def payment_key(self) -> str:
        """Names the payment in the ledger; holds no Telegram id, because ledger rows are never changed."""
        return payment_key(self.order_id, self.slot)

    @property
    def refund_key(self) -> str:
        """Names the refund in the ledger: there is at most one."""
        return f"refund:{self.order_id}:{self.slot}"
