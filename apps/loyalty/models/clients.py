"""The guests: a person's membership, known to clients by a public integer (contract loyalty 2, User)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet
from apps.loyalty.models.staff import Staff

PHOTO_PATH = "/api/v1/files/profile-photo/"
"""Where clients fetch a profile photo, seen from their base address."""


class ClientQuerySet(VisibleQuerySet["Client"]):
    """Guests."""

    def living(self) -> ClientQuerySet:
        """Those who have not left."""
        return self.filter(is_deleted=False)

    def active(self) -> ClientQuerySet:
        """Those who may sign in and are told things."""
        return self.living().filter(switched_off_at=None)

    def visible_to(self, by: Any) -> ClientQuerySet:
        """A manager (and the system) sees every guest, a waiter those he brought, a guest himself."""
        if by is None or getattr(by, "is_manager", False):
            return self.living()
        if isinstance(by, Staff):
            return self.living().filter(waiter=by)
        return self.living().filter(pk=by.pk) if isinstance(by, Client) else self.none()


class Client(models.Model):
    """A guest. The row outlives the account: after deletion it keeps the history under a number that rings nowhere.

    The balance is no field: it is `purse`, an account of the ledger that belongs to this row alone, so that whoever
    comes back with the same phone begins anew.
    """

    class Level(models.TextChoices):
        SILVER = "SILVER", "Silver"
        GOLD = "GOLD", "Gold"
        PREMIUM = "PREMIUM", "Premium"
        VIP = "VIP", "VIP"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="loyalty_clients", verbose_name=_("person")
    )
    purse = models.OneToOneField(
        "ledger.Account", models.PROTECT, null=True, related_name="loyalty_client", verbose_name=_("purse")
    )
    name = models.CharField(_("name"), max_length=150, null=True, blank=True)
    surname = models.CharField(_("surname"), max_length=100, null=True, blank=True)
    middle_name = models.CharField(_("middle name"), max_length=100, null=True, blank=True)
    phone = models.CharField(_("phone"), max_length=20, unique=True)
    email = models.CharField(_("e-mail"), max_length=320, unique=True, null=True, blank=True)
    gender = models.CharField(_("gender"), max_length=16, null=True, blank=True)
    date_of_birth = models.DateField(_("born"), null=True, blank=True)
    photo_name = models.CharField(
        _("profile photo"), max_length=80, blank=True, help_text=_("Name of the file; only our own uploads")
    )
    waiter = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="clients", verbose_name=_("waiter")
    )
    level = models.CharField(_("level"), max_length=7, choices=Level, default=Level.SILVER)
    points = models.DecimalField(_("points"), max_digits=14, decimal_places=2, default=Decimal(0))
    giftget = models.BooleanField(_("has taken the gift"), default=False)
    iiko_customer_id = models.CharField(_("id in iiko"), max_length=64, unique=True, null=True, blank=True)
    iiko_wallet_id = models.CharField(_("wallet in iiko"), max_length=64, unique=True, null=True, blank=True)
    balance_as_of = models.DateTimeField(
        _("balance proved"), null=True, blank=True, help_text=_("Moment of the newest balance that iiko has told us")
    )
    iiko_read_at = models.DateTimeField(
        _("read from iiko"), null=True, blank=True, help_text=_("Moment of the last answer of iiko, whatever it was")
    )
    switched_off_at = models.DateTimeField(
        _("switched off at"), null=True, blank=True, help_text=_("A manager shut the door; purse and history stay")
    )
    is_deleted = models.BooleanField(_("left"), default=False)
    deleted_at = models.DateTimeField(_("left at"), null=True, blank=True)
    created_at = models.DateTimeField(_("joined"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        permissions = [("export_client", _("Can export guests"))]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_deleted=False)
                | models.Q(iiko_customer_id=None, iiko_wallet_id=None, email=None, photo_name=""),
                name="loyalty_deleted_frees_its_names",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-created_at", "-id"], condition=models.Q(is_deleted=False), name="loyalty_guests_newest"
            ),
            models.Index(fields=["waiter", "-created_at", "-id"], name="loyalty_guests_of_waiter"),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"

    @property
    def book(self) -> str:
        """The ledger's book of this account's purse."""
        return f"loyalty:{self.pk}"

    @property
    def balance(self) -> Decimal:
        """Cashback in UZS; needs `purse` loaded. May be negative: the restaurant's system has the last word."""
        return self.purse.balance if self.purse else Decimal(0)

    @property
    def is_active(self) -> bool:
        """Whether the doors are open to this guest."""
        return not self.is_deleted and self.switched_off_at is None

    @property
    def profile_photo_url(self) -> str | None:
        """Path of the photo below a client's base address."""
        return f"{PHOTO_PATH}{self.photo_name}" if self.photo_name else None


class DeletedPhone(models.Model):
    """A guest left: the number that is free again, and what the restaurant's system has to be told."""

    real_phone = models.CharField(_("phone"), max_length=20, db_index=True)
    client = models.ForeignKey(Client, models.CASCADE, related_name="deleted_phones", verbose_name=_("guest"))
    iiko_customer_id = models.CharField(_("id in iiko"), max_length=64, null=True, blank=True)
    deleted_at = models.DateTimeField(_("left at"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("deleted phone")
        verbose_name_plural = _("deleted phones")


class Card(models.Model):
    """A loyalty card. `iiko_card_id` stays empty when the restaurant's system does not tell it."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="cards", verbose_name=_("guest"))
    card_number = models.CharField(_("number"), max_length=32, unique=True)
    card_track = models.CharField(_("track"), max_length=64, unique=True)
    iiko_card_id = models.CharField(_("id in iiko"), max_length=64, null=True, blank=True)
    attached_at = models.DateTimeField(_("attached in iiko"), null=True, blank=True)
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("card")
        verbose_name_plural = _("cards")
