"""Where a person can be reached, and how they like to be told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.models import Timestamped


class Device(Timestamped):
    """A phone (FCM token) or a browser (Web Push subscription) of one product's app.

    `address` is the token or the endpoint and secret-like; the unique `fingerprint` is its hash. Registering the same
    address for another person moves the device to that person: whoever holds the phone now is its owner.
    """

    class Kind(models.TextChoices):
        FCM = "fcm", "FCM"
        WEB = "web", "Web Push"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="push_devices"
    )
    product = models.CharField(_("product"), max_length=16)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices)
    platform = models.CharField(_("platform"), max_length=16, blank=True, help_text="ios, android, web")
    address = models.TextField(_("address"))
    fingerprint = models.CharField(_("fingerprint of the content"), max_length=64)
    p256dh = models.CharField(max_length=160, blank=True)
    auth = models.CharField(max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [models.UniqueConstraint(fields=["product", "fingerprint"], name="one_owner_per_device")]
        indexes = [models.Index(fields=["user", "product", "seen_at"], name="devices_of_a_person")]

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint[:8]}"


class Wish(Timestamped):
    """A person switched one channel on or off, for one kind or (empty kind) for everything a product says."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="wishes"
    )
    product = models.CharField(_("product"), max_length=16)
    kind = models.CharField(_("kind"), max_length=64, blank=True)
    channel = models.CharField(_("channel"), max_length=8)
    is_on = models.BooleanField(_("is on"))

    class Meta:
        verbose_name = _("wish")
        verbose_name_plural = _("wishes")
        constraints = [
            models.UniqueConstraint(fields=["user", "product", "kind", "channel"], name="one_wish_per_channel")
        ]

    def __str__(self) -> str:
        return f"{self.product}.{self.kind or '*'} {self.channel}: {'on' if self.is_on else 'off'}"


class QuietHours(Timestamped):
    """From `starts` to `ends` (the person's clock, may cross midnight) nothing rings: deliveries wait until the end."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="quiet_hours"
    )
    product = models.CharField(_("product"), max_length=16)
    starts = models.TimeField(_("begins"))
    ends = models.TimeField(_("ends"))
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Tashkent")

    class Meta:
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")
        constraints = [models.UniqueConstraint(fields=["user", "product"], name="one_quiet_time_per_product")]

    def __str__(self) -> str:
        return f"{self.product} {self.starts:%H:%M}–{self.ends:%H:%M}"


class MergedRow(models.Model):
    """A row that a merge of two persons moved, so that undoing the merge can move it back."""

    merge_id = models.BigIntegerField()
    model = models.CharField(max_length=32)
    row_id = models.BigIntegerField()

    class Meta:
        verbose_name = _("merged row")
        verbose_name_plural = _("merged rows")
        indexes = [models.Index(fields=["merge_id", "model"], name="moved_by_merge")]

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"
