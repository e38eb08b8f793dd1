"""What florists make: tasks, their lines, substituted flowers (contract florist 1.6, 3.9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.florist.models.base import OfShop, ShopQuerySet


class TaskQuerySet(ShopQuerySet["ProductionTask"]):
    """Tasks."""

    def visible_to(self, by: Any) -> TaskQuerySet:
        """Managers see all of their shop, florists their own and the free ones, couriers none."""
        return self._seen(by, Q())

    def readable_by(self, by: Any) -> TaskQuerySet:
        """`visible_to`, and for a florist also what a colleague has handed in: somebody else must check it."""
        return self._seen(by, Q(status=ProductionTask.Status.QUALITY_CHECK))

    def _seen(self, by: Any, more: Q) -> TaskQuerySet:
        mine = cast("TaskQuerySet", super().visible_to(by))
        role = getattr(by, "role", "")
        if role == "florist":
            return mine.filter(Q(florist_id=by.pk) | Q(florist=None) | more)
        return self.none() if role == "courier" and not by.permissions.get("production") else mine

    def open(self) -> TaskQuerySet:
        """Neither completed nor cancelled."""
        return self.exclude(status__in=ProductionTask.CLOSED)


class ProductionTask(OfShop):
    """One kind of work for one order. `status` is written by `states` alone."""

    class Status(models.TextChoices):
        PENDING = "pending", _("free")
        ASSIGNED = "assigned", _("assigned")
        IN_PROGRESS = "in_progress", _("in work")
        QUALITY_CHECK = "quality_check", _("being checked")
        COMPLETED = "completed", _("done")
        CANCELLED = "cancelled", _("cancelled")

    class Priority(models.IntegerChoices):
        """Kept as numbers so that urgent sorts first; clients see the words."""

        URGENT = 0, _("urgent")
        HIGH = 1, _("high")
        NORMAL = 2, _("normal")
        LOW = 3, _("low")

    class Type(models.TextChoices):
        BOUQUET = "bouquet", _("bouquet")
        COMPOSITION = "composition", _("composition")
        DECORATION = "decoration", _("decoration")

    CLOSED = (Status.COMPLETED, Status.CANCELLED)
    ACTIVE = (Status.ASSIGNED, Status.IN_PROGRESS)
    """States of which a florist has one at a time for "take next"."""

    order = models.ForeignKey("florist.Order", models.PROTECT, related_name="tasks", verbose_name=_("order"))
    task_type = models.CharField(_("kind"), max_length=11, choices=Type, default=Type.BOUQUET)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    estimated_minutes = models.PositiveSmallIntegerField(_("estimated minutes"), default=30)
    deadline = models.DateTimeField(_("deadline"), null=True, blank=True)
    instructions = models.TextField(_("instructions"), max_length=2000, null=True, blank=True)
    florist = models.ForeignKey(
        "florist.Employee", models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name=_("florist")
    )
    status = models.CharField(_("status"), max_length=13, choices=Status, default=Status.PENDING)
    assigned_at = models.DateTimeField(_("assigned at"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    first_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("handed in at"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    seconds_worked = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("Of rounds before the present one: a return keeps them")
    )
    actual_minutes = models.PositiveSmallIntegerField(_("minutes"), null=True, blank=True)
    quality_score = models.PositiveSmallIntegerField(_("mark"), null=True, blank=True)
    checked_by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, blank=True, related_name="+")
    returns = models.PositiveSmallIntegerField(_("returned"), default=0)
    work_photos = models.JSONField(default=list, blank=True)
    result_photos = models.JSONField(default=list, blank=True)
    florist_notes = models.TextField(_("florist's notes"), max_length=2000, null=True, blank=True)
    quality_notes = models.TextField(_("notes of the check"), max_length=2000, null=True, blank=True)
    late_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When its florist was told that it is late")
    )
    is_short = models.BooleanField(_("flowers are missing"), default=False)
    shortage_note = models.CharField(max_length=500, blank=True)
    is_undone = models.BooleanField(
        _("made anew"), default=False, editable=False, help_text=_("Approved, but its order came back to be made again")
    )

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["priority", "deadline", "id"]
        verbose_name = _("production task")
        verbose_name_plural = _("production tasks")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "task_type"],
                condition=~Q(status__in=["completed", "cancelled"]),
                name="florist_one_open_task_per_kind",
            ),
            models.CheckConstraint(
                condition=Q(quality_score=None) | Q(quality_score__range=(1, 5)), name="florist_mark_one_to_five"
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "status", "priority", "deadline", "id"], name="florist_tasks_queue"),
            models.Index(fields=["florist", "status"], name="florist_tasks_of_florist"),
            models.Index(
                fields=["deadline"],
                name="florist_tasks_due",
                condition=~Q(status__in=["completed", "cancelled"]) & Q(late_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class TaskItem(models.Model):
    """One order line within a task; the florist ticks it."""

    task = models.ForeignKey(ProductionTask, models.CASCADE, related_name="items", verbose_name=_("task"))
    order_item = models.ForeignKey("florist.OrderItem", models.CASCADE, related_name="+")
    quantity = models.PositiveSmallIntegerField(_("pieces"))
    is_completed = models.BooleanField(_("done"), default=False)
    completed_at = models.DateTimeField(null=True, blank=True)
    quality_approved = models.BooleanField(_("approved"), null=True, blank=True)
    quality_notes = models.CharField(max_length=1000, null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("line of a task")
        verbose_name_plural = _("lines of tasks")
        constraints = [models.UniqueConstraint(fields=["task", "order_item"], name="florist_task_line_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class TaskStem(models.Model):
    """A flower of the stem list that the florist has ticked; rows appear on the first tick."""

    task = models.ForeignKey(ProductionTask, models.CASCADE, related_name="ticks", db_index=False)
    component_key = models.CharField(max_length=140, help_text=_("Order line, variety and height"))
    ticked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("ticked flower")
        verbose_name_plural = _("ticked flowers")
        constraints = [models.UniqueConstraint(fields=["task", "component_key"], name="florist_stem_ticked_once")]

    def __str__(self) -> str:
        return self.component_key


class Substitution(models.Model):
    """One flower taken for another, with the reason; the price of the order stays.

    Instead of stems of a batch, or of a flower of the recipe that was in none: then `for_variety` names it.
    """

    task = models.ForeignKey(ProductionTask, models.PROTECT, related_name="substitutions", verbose_name=_("task"))
    order_item = models.ForeignKey("florist.OrderItem", models.SET_NULL, null=True, related_name="+")
    from_batch = models.ForeignKey(
        "florist.Batch", models.PROTECT, null=True, related_name="+", verbose_name=_("instead of")
    )
    for_variety = models.CharField(_("instead of, not in stock"), max_length=100, blank=True)
    for_height_cm = models.PositiveSmallIntegerField(null=True, blank=True)
    to_batch = models.ForeignKey("florist.Batch", models.PROTECT, related_name="+", verbose_name=_("taken"))
    qty = models.PositiveIntegerField(_("stems"))
    reason = models.CharField(_("reason"), max_length=500)
    cost_difference = models.DecimalField(_("cost"), max_digits=12, decimal_places=2, default=Decimal(0))
    by = models.ForeignKey("florist.Employee", models.PROTECT, related_name="+", verbose_name=_("by"))
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("substituted flower")
        verbose_name_plural = _("substituted flowers")

    def __str__(self) -> str:
        return f"#{self.pk}"
