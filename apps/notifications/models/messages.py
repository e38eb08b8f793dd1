"""What a person was told: one row, whatever the channels."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Questions about inboxes."""

    def of(self, user_id: int, product: str) -> NotificationQuerySet:
        """What this person was told by this product: the only door for faces, a stranger's row is not in it."""
        return self.filter(user_id=user_id, product=product)

    def listed(self) -> NotificationQuerySet:
        """Rows that show in the inbox."""
        return self.filter(in_inbox=True)

    def unread(self) -> NotificationQuerySet:
        return self.filter(in_inbox=True, read_at=None)

    def unsent(self) -> NotificationQuerySet:
        """Rows meant for the socket that no socket has written yet (contract loyalty 3.10)."""
        return self.filter(goes_live=True, sent_at=None)


class Notification(models.Model):
    """Something a person was told. The row is the truth; sockets, pushes and letters are faster mailmen (design 3.16).

    `key` makes telling idempotent per person and product; empty means "always a new one".
    `sent_at` is when a socket wrote it, `read_at` when the person opened it.
    """

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="notifications"
    )
    product = models.CharField(_("product"), max_length=16)
    kind = models.CharField(_("kind"), max_length=64)
    title = models.CharField(_("title"), max_length=255)
    body = models.TextField(_("text"), blank=True)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    link_label = models.CharField(_("link label"), max_length=64, blank=True)
    link_url = models.CharField(_("link"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=8, default="ru")
    key = models.CharField(_("key"), max_length=120, blank=True)
    broadcast = models.ForeignKey(
        "Broadcast", verbose_name=_("broadcast"), on_delete=models.CASCADE, null=True, related_name="notifications"
    )
    in_inbox = models.BooleanField(_("in the inbox"), default=True)
    goes_live = models.BooleanField(_("shown live"), default=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["user", "product", "key"], condition=~Q(key=""), name="told_once_per_key"),
        ]
        indexes = [
            models.Index(fields=["user", "product", "-id"], name="inbox"),
            models.Index(fields=["user", "product"], name="inbox_unread", condition=Q(read_at=None, in_inbox=True)),
            models.Index(fields=["user", "product", "id"], name="unsent", condition=Q(sent_at=None, goes_live=True)),
            models.Index(fields=["created_at"], name="notification_age"),
        ]

    def __str__(self) -> str:
        return f"{self.product}.{self.kind} #{self.pk}"

    @property
    def is_read(self) -> bool:
        return self.read_at is not None

    @property
    def is_sent(self) -> bool:
        """Whether a socket has written it."""
        return self.sent_at is not None
