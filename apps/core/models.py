"""Rows of the plumbing: what must be told later, what was answered before, what a vendor has sent us already."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Timestamped(models.Model):
    """When a row was made and last changed (UTC)."""

    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        abstract = True


class OutboxMessage(models.Model):
    """One fact waiting for one `@after` handler: written with the fact, delivered after commit, at least once."""

    event = models.CharField(_("event"), max_length=120)
    handler = models.CharField(_("handler"), max_length=200)
    payload = models.JSONField(_("payload"))
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    due_at = models.DateTimeField(_("due"), default=timezone.now, null=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    dead_at = models.DateTimeField(_("given up at"), null=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="outbox_due",
                condition=models.Q(delivered_at=None, dead_at=None),
            ),
            models.Index(fields=["delivered_at"], name="outbox_delivered"),
            models.Index(fields=["dead_at"], name="outbox_dead", condition=models.Q(dead_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.handler.rsplit('.', 1)[-1]}"

    @property
    def state(self) -> str:
        """waiting, delivered or dead."""
        return "dead" if self.dead_at else "delivered" if self.delivered_at else "waiting"


class IdempotencyRecord(models.Model):
    """The answer given to a key, so that a repeat gets the same one."""

    scope = models.CharField(_("scope"), max_length=120)
    key = models.CharField(_("key"), max_length=200)
    fingerprint = models.CharField(_("fingerprint of the content"), max_length=64)
    status = models.PositiveSmallIntegerField(_("answer status"), null=True)
    body = models.JSONField(_("answer"), null=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.key}"


class WebhookReceipt(models.Model):
    """A notice from a vendor that we have taken in; a repeat of the same id finds this row and stops."""

    vendor = models.CharField(_("vendor"), max_length=40)
    external_id = models.CharField(_("vendor's id"), max_length=200)
    kind = models.CharField(_("kind"), max_length=80, blank=True)
    received_at = models.DateTimeField(_("received at"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("vendor notice")
        verbose_name_plural = _("vendor notices")
        constraints = [models.UniqueConstraint(fields=["vendor", "external_id"], name="one_receipt_per_notice")]

    def __str__(self) -> str:
        return f"{self.vendor} {self.external_id}"


class StepLog(models.Model):
    """One step of a life cycle: which row went from where to where, by whom and why."""

    model = models.CharField(_("table"), max_length=80)
    object_id = models.CharField(_("row"), max_length=64)
    from_status = models.CharField(_("from status"), max_length=40)
    to_status = models.CharField(_("to status"), max_length=40)
    by = models.CharField(_("by"), max_length=120, help_text=_("who, as a label; 'system' for jobs"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("step of a life cycle")
        verbose_name_plural = _("steps of life cycles")
        indexes = [models.Index(fields=["model", "object_id", "id"], name="steps_of_an_object")]

    def __str__(self) -> str:
        return f"{self.model} {self.object_id}: {self.from_status} → {self.to_status}"
