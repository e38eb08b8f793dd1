"""How a message travels outside the house: one row per channel (and per device for pushes), due at a time."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.notifications.models.messages import Notification
from apps.notifications.models.people import Device


class Delivery(models.Model):
    """One message on its way through one channel.

    queued → sending → sent, or back to queued with a later `due_at`, or failed (given up), dead (the address is gone),
    unsure (it may have gone out: never repeated by itself). A row in sending past `claimed_until` lost its worker.
    """

    class Channel(models.TextChoices):
        SMS = "sms", _("SMS")
        MAIL = "mail", _("e-mail")
        BOT = "bot", _("bot")
        PUSH = "push", _("push")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")
        DEAD = "dead", _("address is gone")
        UNSURE = "unsure", _("perhaps sent")

    notification = models.ForeignKey(
        Notification, verbose_name=_("notification"), on_delete=models.CASCADE, related_name="deliveries"
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    device = models.ForeignKey(
        Device, verbose_name=_("device"), on_delete=models.SET_NULL, null=True, blank=True, related_name="deliveries"
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.QUEUED)
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=0, help_text=_("0 = personal, 1 = broadcast; lower goes first")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    vendor_id = models.CharField(_("vendor's id"), max_length=120, blank=True)
    progress = models.CharField(
        _("vendor's report"), max_length=9, blank=True, help_text=_("How far a text has come, as its vendor told us")
    )
    reported_at = models.DateTimeField(_("reported"), null=True, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=12, decimal_places=4, null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "channel"],
                condition=Q(device=None) & ~Q(channel="push"),
                name="one_per_channel",
            ),
            models.UniqueConstraint(
                fields=["notification", "device"], condition=Q(device__isnull=False), name="one_per_device"
            ),
        ]
        indexes = [
            models.Index(fields=["priority", "due_at", "id"], name="delivery_due", condition=Q(state="queued")),
            models.Index(fields=["claimed_until"], name="delivery_stuck", condition=Q(state="sending")),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
            models.Index(fields=["vendor_id"], name="delivery_of_text", condition=Q(channel="sms") & ~Q(vendor_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} #{self.pk}"

    @property
    def person(self) -> Any:
        return self.notification.user
