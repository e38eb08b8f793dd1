"""A ticket and what belongs to it: followers, its log, comments (contract tickets 2)."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.access import VisibleQuerySet
from apps.tickets.models.districts import District
from apps.tickets.models.members import Member
from apps.tickets.models.teams import Category, Team


class TicketQuerySet(VisibleQuerySet["Ticket"]):
    """Tickets."""

    def living(self) -> TicketQuerySet:
        """Without deleted ones: they vanish from every list, count and figure."""
        return self.filter(deleted_at=None)

    def visible_to(self, by: Any) -> TicketQuerySet:
        """Everybody who is signed in may read every living ticket (C6); what is blanked for whom, `access` says."""
        return self.none() if by is None else self.living()


class Ticket(models.Model):
    """Something broken in the street. The point is always set: the reporter's, else the district's centre."""

    class Status(models.TextChoices):
        NEW = "NEW", _("New")
        IN_PROGRESS = "IN_PROGRESS", _("In Progress")
        RESOLVED = "RESOLVED", _("Resolved")
        CLOSED = "CLOSED", _("Closed")
        ESCALATED = "ESCALATED", _("Escalated")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"))
    status = models.CharField(_("status"), max_length=11, choices=Status, default=Status.NEW, editable=False)
    category = models.ForeignKey(Category, models.PROTECT, related_name="tickets", verbose_name=_("category"))
    reporter = models.ForeignKey(Member, models.PROTECT, related_name="reported", verbose_name=_("reporter"))
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="tickets", verbose_name=_("team")
    )
    assignee = models.ForeignKey(
        Member,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned",
        verbose_name=_("assignee"),
        help_text=_("Who of the team works on it; set by claiming it or by beginning the work"),
    )
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))
    h9 = models.BigIntegerField(_("cell"), editable=False, help_text=_("H3 cell of resolution 9"))
    address = models.CharField(_("address"), max_length=500, null=True, blank=True)
    district = models.ForeignKey(
        District, models.SET_NULL, null=True, blank=True, related_name="tickets", verbose_name=_("district")
    )
    city = models.CharField(_("city"), max_length=100)
    duplicate_of = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="duplicates",
        verbose_name=_("duplicate of"),
        help_text=_("The ticket that stands for the same trouble; never a duplicate itself"),
    )
    resolved_at = models.DateTimeField(_("solved at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    created_at = models.DateTimeField(_("reported"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        permissions = [
            ("handle_ticket", _("Can move, assign and merge tickets")),
            ("manage_city", _("Can manage teams, categories, members and promises")),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="tickets_newest"),
            models.Index(fields=["reporter", "-created_at"], name="tickets_of_reporter"),
            models.Index(fields=["team", "status", "-created_at"], name="tickets_of_team"),
            models.Index(fields=["status", "-created_at"], name="tickets_in_status"),
            models.Index(fields=["category", "-created_at"], name="tickets_of_category"),
            models.Index(fields=["h9", "status"], name="tickets_in_cell", condition=models.Q(deleted_at=None)),
            # Holds all that decides what is near, so that only the nearest are read from the table.
            models.Index(
                fields=["h9", "latitude", "longitude", "category", "id"],
                name="tickets_open_in_cell",
                condition=models.Q(deleted_at=None, status__in=("NEW", "IN_PROGRESS")),
            ),
            # Holds all that the heat map reads, so that it never visits the table (design 3.25).
            models.Index(
                fields=["created_at", "status", "category", "h9", "latitude", "longitude"],
                name="tickets_heat",
                condition=models.Q(deleted_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.title


UNFINISHED = (Ticket.Status.NEW, Ticket.Status.IN_PROGRESS, Ticket.Status.ESCALATED)
"""What somebody still has to work on."""

FINISHED = (Ticket.Status.RESOLVED, Ticket.Status.CLOSED)
"""What may be rated, and reopened."""


class Follow(models.Model):
    """A member who wants to hear of a ticket; the reporter follows from the start."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="follows", verbose_name=_("ticket"))
    member = models.ForeignKey(Member, models.CASCADE, related_name="follows", verbose_name=_("member"))
    created_at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        constraints = [models.UniqueConstraint(fields=["ticket", "member"], name="tickets_follow_once")]
        indexes = [models.Index(fields=["member", "ticket"], name="tickets_followed_by")]


class StatusLog(models.Model):
    """One line of a ticket's history; the first has no old status. Never changed, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="status_logs", verbose_name=_("ticket"))
    old_status = models.CharField(pgettext_lazy("status", "from"), max_length=11, choices=Ticket.Status, null=True)
    new_status = models.CharField(pgettext_lazy("status", "to"), max_length=11, choices=Ticket.Status)
    changed_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"), db_index=False
    )
    comment = models.CharField(_("comment"), max_length=1000, null=True, blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("line of a ticket's history")
        verbose_name_plural = _("histories of tickets")
        indexes = [
            models.Index(fields=["ticket", "-created_at"], name="tickets_log_of_ticket"),
            models.Index(fields=["changed_by", "new_status", "-created_at"], name="tickets_log_of_member"),
        ]


class Comment(models.Model):
    """What somebody said about a ticket; internal ones are for staff."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="comments", verbose_name=_("ticket"))
    author = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="comments", verbose_name=_("author"), db_index=False
    )
    content = models.CharField(_("text"), max_length=2000)
    is_internal = models.BooleanField(_("for staff only"), default=False)
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        indexes = [models.Index(fields=["ticket", "-created_at"], name="tickets_comments_of_ticket")]


class Edit(models.Model):
    """What was changed in the words of a ticket, by whom: edits leave a trace (contract tickets D9)."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="edits", verbose_name=_("ticket"))
    by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    field = models.CharField(_("field"), max_length=20)
    old = models.TextField(_("before"), blank=True)
    new = models.TextField(_("after"), blank=True)
    created_at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("edit of a ticket")
        verbose_name_plural = _("edits of tickets")
