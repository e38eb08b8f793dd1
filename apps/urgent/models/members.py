"""Who trades here: a person's membership, known to clients by the Telegram id (contract urgent 2.1)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet


class MemberQuerySet(VisibleQuerySet["Member"]):
    """Members."""

    def visible_to(self, by: Any) -> MemberQuerySet:
        """A member sees himself; staff tools ask without this filter."""
        return self.filter(pk=by.pk) if by is not None else self.none()


class Member(models.Model):
    """Client and executor in one. `id` is the Telegram id (64 bits); the person's names live on `user`.

    The balance is no field: it is the ledger's account in book `urgent`. Counters are a cache, checked nightly.
    """

    id = models.BigIntegerField(_("Telegram id"), primary_key=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="urgent_member", verbose_name=_("person")
    )
    completed_orders_count = models.PositiveIntegerField(_("completed orders"), default=0)
    active_orders_count = models.PositiveIntegerField(_("active orders"), default=0)
    average_rating = models.FloatField(_("rating"), default=0.0, help_text=_("Mean of shown reviews, 0 without any"))
    notifications_enabled = models.BooleanField(_("wants messages"), default=False)
    notification_frequency_minutes = models.PositiveSmallIntegerField(_("pause between messages, minutes"), default=10)
    last_notified_at = models.DateTimeField(_("last message"), null=True, blank=True)
    bot_tried_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When we first wrote by bot without knowing whether we may")
    )
    blocked_at = models.DateTimeField(_("blocked"), null=True, blank=True)
    block_reason = models.CharField(_("why blocked"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("joined"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [("block_member", "Can block and unblock members")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(average_rating=0) | models.Q(average_rating__range=(1, 5)),
                name="urgent_rating_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(notification_frequency_minutes__range=(5, 15)), name="urgent_pause_in_range"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_blocked(self) -> bool:
        """Blocked here or in the whole house."""
        return self.blocked_at is not None
