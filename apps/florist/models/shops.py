"""Shops, who works in them, and how they sell: zones, slots, days without delivery (contract florist 2, 3.2, 3.7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.florist.models.base import MONEY, OfShop, ShopQuerySet


class Shop(models.Model):
    """A flower shop: the wall round everything it owns."""

    class Plan(models.TextChoices):
        BASIC = "basic", _("basic")
        STANDARD = "standard", _("standard")
        PREMIUM = "premium", _("premium")

    class Language(models.TextChoices):
        RU = "ru", "Русский"
        KK = "kz", "Қазақша"
        EN = "en", "English"

    class ReserveAt(models.TextChoices):
        CREATED = "created", _("when the order is taken")
        PAID = "paid", _("when the order is paid")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="florist_shops",
        verbose_name=_("owner"),
        help_text=_("Shops of one owner may hand stock to each other"),
    )
    name = models.CharField(_("name"), max_length=100)
    phone = models.CharField(_("phone"), max_length=20, unique=True)
    email = models.EmailField(_("e-mail"), max_length=100, null=True, blank=True, unique=True)
    telegram_id = models.CharField(max_length=50, null=True, blank=True, unique=True)
    telegram_username = models.CharField(max_length=64, null=True, blank=True)
    address = models.CharField(_("address"), max_length=500, null=True, blank=True)
    city = models.CharField(_("city"), max_length=100, default="Алматы")
    description = models.TextField(_("description"), max_length=2000, null=True, blank=True)
    whatsapp_number = models.CharField(max_length=20, null=True, blank=True)
    shop_domain = models.CharField(_("domain"), max_length=50, null=True, blank=True, unique=True)
    shop_logo_url = models.CharField(_("logo"), max_length=500, null=True, blank=True)
    business_hours = models.JSONField(
        _("business hours"), null=True, blank=True, help_text=_('{"mon": ["09:00", "18:00"], …}')
    )
    currency = models.CharField(_("currency"), max_length=3, default="KZT")
    timezone = models.CharField(_("time zone"), max_length=40, default="Asia/Almaty")
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.RU)
    is_active = models.BooleanField(_("open"), default=True)
    is_verified = models.BooleanField(_("verified"), default=False)
    plan = models.CharField(_("plan"), max_length=8, choices=Plan, default=Plan.BASIC)
    trial_ends_at = models.DateTimeField(_("trial ends"), null=True, blank=True)
    last_login_at = models.DateTimeField(_("last sign-in"), null=True, blank=True)
    phones = models.JSONField(_("phones"), default=list, blank=True)
    opens_at = models.TimeField(_("opens"), default="09:00")
    closes_at = models.TimeField(_("closes"), default="20:00")
    reserve_at = models.CharField(_("stock is reserved"), max_length=7, choices=ReserveAt, default=ReserveAt.CREATED)
    lead_minutes = models.PositiveSmallIntegerField(
        _("lead time"), default=120, help_text=_("Minutes between now and the first slot of today")
    )
    pickup_lead_minutes = models.PositiveSmallIntegerField(_("lead time of pickup"), default=60)
    days_ahead = models.PositiveSmallIntegerField(_("days ahead"), default=14)
    created_at = models.DateTimeField(_("created"), default=now)
    updated_at = models.DateTimeField(_("changed"), default=now)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("flower shop")
        verbose_name_plural = _("flower shops")
        permissions = [("check_shop", "Can run data checks of shops")]

    def __str__(self) -> str:
        return self.name


class Employee(OfShop):
    """Somebody who works in a shop; its `permissions` narrow or widen what the role gives (3.2)."""

    class Role(models.TextChoices):
        ADMIN = "admin", _("owner")
        MANAGER = "manager", _("manager")
        FLORIST = "florist", _("florist")
        COURIER = "courier", _("courier")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="florist_employees", verbose_name=_("person")
    )
    phone = models.CharField(_("phone"), max_length=20, help_text=_("E.164"))
    name = models.CharField(_("name"), max_length=100)
    email = models.EmailField(_("e-mail"), max_length=254, null=True, blank=True)
    role = models.CharField(_("role"), max_length=8, choices=Role)
    is_active = models.BooleanField(_("works here"), default=True)
    telegram_id = models.BigIntegerField(null=True, blank=True)
    permissions = models.JSONField(_("switches"), default=dict, blank=True)
    is_on_shift = models.BooleanField(_("on shift"), default=True)
    came_by_merge = models.BigIntegerField(null=True, blank=True, editable=False)

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("employee")
        verbose_name_plural = _("employees")
        constraints = [
            models.UniqueConstraint(fields=["shop", "phone"], name="florist_one_employee_per_phone"),
            models.UniqueConstraint(fields=["shop", "user"], name="florist_one_employee_per_person"),
            models.UniqueConstraint(
                fields=["shop", "email"], condition=models.Q(email__isnull=False), name="florist_one_employee_per_email"
            ),
        ]
        indexes = [models.Index(fields=["shop", "role"], name="florist_employees_of_role")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_manager(self) -> bool:
        """Runs the shop: its owner (admin) or a manager."""
        return self.role in (self.Role.ADMIN, self.Role.MANAGER)


class EmployeeChange(models.Model):
    """Who changed what about an employee; append-only. Values are told for role and switches, never for phones."""

    class What(models.TextChoices):
        HIRED = "hired", _("hired")
        EDITED = "edited", _("edited")
        ROLE = "role", _("role")
        PERMISSIONS = "permissions", _("switches")
        DISMISSED = "dismissed", _("dismissed")
        RETURNED = "returned", _("let in again")

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="changes", verbose_name=_("employee"))
    what = models.CharField(_("what"), max_length=11, choices=What)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("change of an employee")
        verbose_name_plural = _("changes of employees")

    def __str__(self) -> str:
        return f"#{self.pk}"


class DeliveryZone(OfShop):
    """A part of the city with its price (contract 3.6)."""

    name = models.CharField(_("name"), max_length=100)
    price = models.DecimalField(_("price"), **MONEY)
    min_order = models.DecimalField(_("smallest order"), default=Decimal(0), **MONEY)
    description = models.CharField(_("description"), max_length=255, blank=True)
    daily_capacity = models.PositiveSmallIntegerField(
        _("orders a day"), null=True, blank=True, help_text=_("Empty: no limit")
    )
    is_active = models.BooleanField(_("in use"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("delivery zone")
        verbose_name_plural = _("delivery zones")
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="florist_one_zone_per_name")]

    def __str__(self) -> str:
        return self.name


class DeliverySlot(OfShop):
    """A window of the day in which the shop delivers; `surcharge` is added to the zone's price."""

    starts_at = models.TimeField(pgettext_lazy("time", "from"))
    ends_at = models.TimeField(pgettext_lazy("time", "to"))
    capacity = models.PositiveSmallIntegerField(_("orders"), null=True, blank=True, help_text=_("Empty: no limit"))
    surcharge = models.DecimalField(_("surcharge"), default=Decimal(0), **MONEY)
    cutoff_minutes = models.PositiveSmallIntegerField(
        _("cutoff"), null=True, blank=True, help_text=_("Minutes before its start; empty: the shop's lead time")
    )
    is_active = models.BooleanField(_("in use"), default=True)

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        verbose_name = _("delivery slot")
        verbose_name_plural = _("delivery slots")
        constraints = [
            models.UniqueConstraint(fields=["shop", "starts_at", "ends_at"], name="florist_one_slot_per_time"),
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="florist_slot_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%H:%M}–{self.ends_at:%H:%M}"


class SpecialDay(OfShop):
    """A day without delivery, or a feast with its own limit and earlier pre-orders (section 6, market leaders)."""

    class Kind(models.TextChoices):
        BLACKOUT = "blackout", _("no delivery")
        HOLIDAY = "holiday", _("feast")

    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    title = models.CharField(_("title"), max_length=100, blank=True)
    capacity = models.PositiveSmallIntegerField(_("orders"), null=True, blank=True)
    preorder_days = models.PositiveSmallIntegerField(
        _("pre-orders"), null=True, blank=True, help_text=_("Days ahead from which orders are taken")
    )

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["day"]
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="florist_one_special_day")]

    def __str__(self) -> str:
        return f"{self.day:%d.%m.%Y}"


class RegistrationSession(models.Model):
    """A proved phone without a shop, for an hour; used once (contract 3.3)."""

    id = models.UUIDField(primary_key=True, editable=False)
    phone = models.CharField(max_length=20)
    telegram_id = models.BigIntegerField(null=True, blank=True, help_text=_("Begun in the bot, which asks further"))
    shop_name = models.CharField(max_length=100, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("begun registration")
        verbose_name_plural = _("begun registrations")
        indexes = [
            models.Index(
                fields=["telegram_id"],
                name="florist_begun_in_the_bot",
                condition=models.Q(telegram_id__isnull=False, used_at=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def is_open(self, now: Any) -> bool:
        """Whether it may still be completed."""
        return self.used_at is None and bool(self.expires_at > now)
