"""What becomes of a ticket: a request for the manager, a citizen's mark (contract tickets 2)."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.tickets.models.members import Member
from apps.tickets.models.tickets import Ticket


class Escalation(models.Model):
    """A team asks the managers to decide; one pending request per ticket."""

    class Status(models.TextChoices):
        PENDING = "PENDING", _("pending")
        APPROVED = "APPROVED", _("approved")
        REJECTED = "REJECTED", _("rejected")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="escalations", verbose_name=_("ticket"))
    requester = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+", verbose_name=_("requester"))
    reviewer = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+", verbose_name=_("reviewer"))
    reason = models.CharField(_("reason"), max_length=2000)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING, editable=False)
    review_comment = models.CharField(_("answer"), max_length=1000, null=True, blank=True)
    created_at = models.DateTimeField(_("asked"), default=timezone.now)
    reviewed_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        permissions = [("decide_escalation", _("Can approve and reject escalations"))]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=models.Q(status="PENDING"), name="tickets_one_pending_escalation"
            ),
            models.UniqueConstraint(
                fields=["ticket"], condition=models.Q(status="APPROVED"), name="tickets_one_approved_escalation"
            ),
        ]
        indexes = [models.Index(fields=["status", "-created_at"], name="tickets_escalations_in_status")]


class Feedback(models.Model):
    """The reporter's mark for finished work; one per ticket."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="feedback", verbose_name=_("ticket"))
    author = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="feedback", verbose_name=_("author"))
    rating = models.PositiveSmallIntegerField(_("mark"))
    comment = models.CharField(_("comment"), max_length=1000, null=True, blank=True)
    created_at = models.DateTimeField(_("given"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [models.CheckConstraint(condition=models.Q(rating__range=(1, 5)), name="tickets_rating_in_range")]
        indexes = [models.Index(fields=["created_at"], name="tickets_feedback_age")]
