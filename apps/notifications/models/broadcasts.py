"""One message to many people: what to say, to whom, and how far we are."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import Timestamped


class Broadcast(Timestamped):
    """A message to a segment of people. Words are JSON by language (`core.texts.Text`); moved only by `states`."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        FINISHED = "finished", _("finished")
        CANCELLED = "cancelled", _("cancelled")

    product = models.CharField(max_length=16)
    kind = models.CharField(max_length=64, default="broadcast")
    title = models.JSONField(default=dict)
    body = models.JSONField(default=dict, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    link_url = models.CharField(max_length=500, blank=True)
    channels = models.JSONField(default=list, blank=True, help_text=_("empty: the usual channels of this kind"))
    segment = models.CharField(max_length=64)
    segment_facts = models.JSONField(
        default=dict, blank=True, help_text=_("what the segment needs, for example a city")
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    key = models.CharField(max_length=120, unique=True, null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        indexes = [models.Index(fields=["status", "id"], name="broadcast_by_status")]

    def __str__(self) -> str:
        return f"{self.product} #{self.pk}"


class BroadcastProgress(models.Model):
    """How far a broadcast is: everyone with an id up to `cursor` has been told, once (keyset, a commit per batch)."""

    broadcast = models.OneToOneField(Broadcast, on_delete=models.CASCADE, primary_key=True, related_name="progress")
    cursor = models.BigIntegerField(default=0)
    people_count = models.PositiveIntegerField(default=0, help_text=_("in the segment when it started"))
    told_count = models.PositiveIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.told_count}/{self.people_count}"
