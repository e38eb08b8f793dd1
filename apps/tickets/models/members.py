"""Who takes part: citizens who report, support who repairs, managers who decide (contract tickets 2, users)."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet

LIVING = models.Q(deleted_at=None)
REACHABLE = LIVING & ~models.Q(phone_number="")


class MemberQuerySet(VisibleQuerySet["Member"]):
    """Members."""

    def living(self) -> MemberQuerySet:
        """Without those who were removed."""
        return self.filter(deleted_at=None)

    def of_phone(self, phone: str) -> MemberQuerySet:
        """Living, with this phone (E.164); in the words of its index, which SQLite takes literally."""
        return self.filter(REACHABLE, phone_number=phone)

    def visible_to(self, by: Any) -> MemberQuerySet:
        """A manager sees everybody, others themselves."""
        if by is None:
            return self.none()
        return self.living() if by.is_manager else self.living().filter(pk=by.pk)


class Member(models.Model):
    """A person's membership; its id is the token's `sub`.

    Name, phone and e-mail are as told: an unproved phone lives here and not on the person, so that naming somebody
    else's phone does not open the person who later proves it on another product. Who has lost the phone to its owner
    has an empty one.
    """

    class Role(models.TextChoices):
        CITIZEN = "CITIZEN", _("citizen")
        SUPPORT = "SUPPORT", _("support")
        MANAGER = "MANAGER", _("manager of the city")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="tickets_members", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=100)
    phone_number = models.CharField(_("phone"), max_length=15, help_text=_("E.164"))
    email = models.EmailField(_("e-mail"), max_length=254, null=True, blank=True)
    role = models.CharField(_("role"), max_length=8, choices=Role, default=Role.CITIZEN)
    team = models.ForeignKey(
        "Team", models.SET_NULL, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    is_verified = models.BooleanField(_("verified"), default=False, help_text=_("Proved a phone or an e-mail address"))
    is_phone_proved = models.BooleanField(
        _("phone proved"), default=False, help_text=_("By a code; a manager who invites is believed")
    )
    is_active = models.BooleanField(_("may sign in"), default=True)
    came_by_merge = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text=_("The merge of two people that brought the membership here")
    )
    deleted_at = models.DateTimeField(_("removed"), null=True, blank=True)
    created_at = models.DateTimeField(_("joined"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["phone_number"], condition=REACHABLE, name="tickets_one_member_per_phone"),
            models.UniqueConstraint(fields=["email"], condition=LIVING, name="tickets_one_member_per_email"),
            models.UniqueConstraint(fields=["user"], condition=LIVING, name="tickets_one_member_per_person"),
        ]
        indexes = [
            models.Index(fields=["role", "-created_at"], name="tickets_members_of_role"),
            models.Index(fields=["-created_at", "-id"], name="tickets_members_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_manager(self) -> bool:
        """Decides over everything."""
        return self.role == self.Role.MANAGER

    @property
    def is_staff_member(self) -> bool:
        """Support or manager."""
        return self.role != self.Role.CITIZEN


class SavedAddress(models.Model):
    """A place that a member reports from often (contract tickets 2, saved_addresses)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="addresses", verbose_name=_("member"))
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(_("address"), max_length=500)
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))
    city = models.CharField(_("city"), max_length=100)
    created_at = models.DateTimeField(_("saved"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("saved address")
        verbose_name_plural = _("saved addresses")
        constraints = [
            models.UniqueConstraint(models.F("member"), Lower("name"), name="tickets_one_address_per_name"),
        ]
        indexes = [models.Index(fields=["member", "-created_at"], name="tickets_addresses_of_member")]

    def __str__(self) -> str:
        return self.name
