"""Who works in the restaurants: managers and waiters (contract loyalty 2, Staff)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet


class StaffQuerySet(VisibleQuerySet["Staff"]):
    """Managers and waiters."""

    def living(self) -> StaffQuerySet:
        """Those who still work here."""
        return self.filter(deleted_at=None)

    def waiters(self) -> StaffQuerySet:
        """Living waiters."""
        return self.living().filter(role=Staff.Role.WAITER)

    def visible_to(self, by: Any) -> StaffQuerySet:
        """A manager (and the system) sees all who work here, a waiter himself."""
        if by is None or getattr(by, "is_manager", False):
            return self.living()
        return self.living().filter(pk=by.pk) if isinstance(by, Staff) else self.none()


class Staff(models.Model):
    """A manager or a waiter. The password is the person's in accounts.

    Staff have a person of their own, not the one behind their phone: a manager types that phone in, nobody proves it.
    """

    class Role(models.TextChoices):
        MANAGER = "MANAGER", _("manager")
        WAITER = "WAITER", _("waiter")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="loyalty_staff", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=150)
    phone = models.CharField(_("phone"), max_length=64, unique=True)
    role = models.CharField(_("role"), max_length=7, choices=Role, default=Role.WAITER)
    branch_id = models.IntegerField(_("branch"), null=True, blank=True)
    referral_code = models.CharField(_("referral code"), max_length=12, unique=True, null=True, blank=True)
    deleted_at = models.DateTimeField(_("left"), null=True, blank=True)
    created_at = models.DateTimeField(_("joined"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = StaffQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        indexes = [models.Index(fields=["role", "-created_at"], name="loyalty_staff_of_role")]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"

    @property
    def is_manager(self) -> bool:
        """May do everything in this product."""
        return self.role == self.Role.MANAGER
