"""What a citizen may expect in time: policies per category and team, and the clocks that run on tickets."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.models import Timestamped


class SlaPolicy(Timestamped):
    """How fast a kind of ticket is answered and solved, in minutes of the clock, weekends included.

    The most exact one counts: category and team, then category, then team; without any, the figures of `conf`.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    category = models.ForeignKey(
        "tickets.Category", models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("category")
    )
    team = models.ForeignKey(
        "tickets.Team", models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("team")
    )
    first_response_minutes = models.PositiveIntegerField(
        _("first answer within, minutes"), validators=[MinValueValidator(1)]
    )
    resolution_minutes = models.PositiveIntegerField(_("solved within, minutes"), validators=[MinValueValidator(1)])

    class Meta:
        ordering = ["category__name", "team__name"]
        verbose_name = _("promise of time")
        verbose_name_plural = _("promises of time")
        constraints = [
            # Four, because two absent values never count as equal for a database.
            models.UniqueConstraint(
                fields=["category", "team"],
                condition=Q(category__isnull=False, team__isnull=False),
                name="tickets_one_sla_per_category_and_team",
            ),
            models.UniqueConstraint(
                fields=["category"],
                condition=Q(category__isnull=False, team=None),
                name="tickets_one_sla_per_category",
            ),
            models.UniqueConstraint(
                fields=["team"], condition=Q(category=None, team__isnull=False), name="tickets_one_sla_per_team"
            ),
            models.CheckConstraint(
                condition=Q(category__isnull=False) | Q(team__isnull=False), name="tickets_sla_is_about_something"
            ),
            models.CheckConstraint(
                condition=Q(first_response_minutes__gte=1, resolution_minutes__gte=1), name="tickets_sla_takes_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_response_minutes} / {self.resolution_minutes} min"


class SlaClock(models.Model):
    """One running or stopped clock. A reopened ticket gets a new clock for its resolution; stopped ones are history."""

    class Kind(models.TextChoices):
        FIRST_RESPONSE = "FIRST_RESPONSE", _("first answer")
        RESOLUTION = "RESOLUTION", _("resolution")

    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, related_name="clocks", verbose_name=_("ticket"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    due_at = models.DateTimeField(_("due"))
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    breached_at = models.DateTimeField(_("found late"), null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        verbose_name = _("clock")
        verbose_name_plural = _("clocks")
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "kind"], condition=Q(stopped_at=None), name="tickets_one_running_clock_per_kind"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="tickets_clocks_due",
                condition=Q(stopped_at=None, breached_at=None),
            ),
            models.Index(fields=["started_at"], name="tickets_clocks_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.due_at:%Y-%m-%d %H:%M}"

    def is_late(self, now: datetime) -> bool:
        """It ran, or still runs, past its due moment."""
        return (self.stopped_at or now) > self.due_at
