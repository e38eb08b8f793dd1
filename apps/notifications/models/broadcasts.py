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

    product = models.CharField(_("product"), max_length=16)
    kind = models.CharField(_("kind"), max_length=64, default="broadcast")
    title = models.JSONField(_("title"), default=dict)
    body = models.JSONField(_("text"), default=dict, blank=True)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    link_url = models.CharField(_("link"), max_length=500, blank=True)
    channels = models.JSONField(
        _("channels"), default=list, blank=True, help_text=_("empty: the usual channels of this kind")
    )
    segment = models.CharField(_("group of people"), max_length=64)
    segment_facts = models.JSONField(
        _("facts of the group"), default=dict, blank=True, help_text=_("what the segment needs, for example a city")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    key = models.CharField(_("key"), max_length=120, unique=True, null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("created by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        indexes = [models.Index(fields=["status", "id"], name="broadcast_by_status")]

    def __str__(self) -> str:
        return f"{self.product} #{self.pk}"


class BroadcastProgress(models.Model):
    """How far a broadcast is: everyone with an id up to `cursor` has been told, once (keyset, a commit per batch)."""

    broadcast = models.OneToOneField(
        Broadcast, verbose_name=_("broadcast"), on_delete=models.CASCADE, primary_key=True, related_name="progress"
    )
    cursor = models.BigIntegerField(_("last person reached"), default=0)
    people_count = models.PositiveIntegerField(
        _("people in the group"), default=0, help_text=_("in the segment when it started")
    )
    told_count = models.PositiveIntegerField(_("people told"), default=0)
    moved_at = models.DateTimeField(_("moved at"), null=True)

    class Meta:
        verbose_name = _("broadcast progress")
        verbose_name_plural = _("broadcast progress")

    def __str__(self) -> str:
        return f"{self.told_count}/{self.people_count}"
