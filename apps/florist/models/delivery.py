"""Couriers: runs, stops, attempts, the cash they hand over (contract florist 4, 6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet
from apps.florist.models.base import MONEY, OfShop, ShopQuerySet


class RunQuerySet(ShopQuerySet["DeliveryRun"]):
    """Runs."""

    def visible_to(self, by: Any) -> ShopQuerySet[DeliveryRun]:
        """Managers see their shop's, couriers their own, florists none."""
        mine, role = super().visible_to(by), getattr(by, "role", "")
        if role == "courier":
            return mine.filter(courier_id=by.pk)
        return self.none() if role == "florist" else mine


class DeliveryRun(OfShop):
    """A courier's way round his stops. `status` is written by `states` alone."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        ACCEPTED = "accepted", _("accepted")
        STARTED = "started", _("on the way")
        FINISHED = "finished", _("finished")
        CANCELLED = "cancelled", _("cancelled")

    courier = models.ForeignKey(
        "florist.Employee", models.PROTECT, related_name="runs", verbose_name=_("courier"), db_index=False
    )
    day = models.DateField(_("day"))
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PLANNED)
    accepted_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-day", "-id"]
        verbose_name = _("courier's run")
        verbose_name_plural = _("couriers' runs")
        indexes = [
            models.Index(fields=["shop", "-day", "-id"], name="florist_runs_of_day"),
            models.Index(fields=["courier", "-day"], name="florist_runs_of_courier"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class StopQuerySet(VisibleQuerySet["Stop"]):
    """Stops."""

    def visible_to(self, by: Any) -> StopQuerySet:
        """Those of the runs that `by` sees."""
        return self.filter(run__in=DeliveryRun.objects.visible_to(by))

    def open(self) -> StopQuerySet:
        """Neither delivered nor failed nor taken off."""
        return self.filter(status__in=Stop.OPEN)


class Stop(models.Model):
    """One order on a run. `status` is written by `states` alone; what cash is due, the order's books say."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waits")
        PICKED_UP = "picked_up", _("picked up")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")
        REMOVED = "removed", _("taken off the run")

    OPEN = (Status.WAITING, Status.PICKED_UP)
    COLLECTING = (*OPEN, Status.DELIVERED)
    """Money is often handed over after the flowers."""

    run = models.ForeignKey(DeliveryRun, models.PROTECT, related_name="stops", verbose_name=_("run"))
    order = models.ForeignKey("florist.Order", models.PROTECT, related_name="stops", verbose_name=_("order"))
    position = models.PositiveSmallIntegerField(_("place"))
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.WAITING)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    cash_received = models.DecimalField(_("cash collected"), default=Decimal(0), **MONEY)
    picked_up_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    receiver_name = models.CharField(_("received by"), max_length=100, blank=True)
    proof = models.ForeignKey("florist.StoredFile", models.PROTECT, null=True, blank=True, related_name="+")
    proof_latitude = models.FloatField(null=True, blank=True)
    proof_longitude = models.FloatField(null=True, blank=True)
    left_with = models.CharField(_("left with"), max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = StopQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(status__in=["waiting", "picked_up"]), name="florist_one_open_stop"
            ),
            models.CheckConstraint(condition=Q(cash_received__gte=0), name="florist_stop_cash_not_negative"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def cash_left(self) -> Decimal:
        """What is still to be collected here: the buyer may have paid by other ways meanwhile."""
        return self.order.cash_to_collect if self.status in self.COLLECTING else Decimal(0)

    @property
    def cash_due(self) -> Decimal:
        """All that this stop brings: what was collected and what is left."""
        return self.cash_received + self.cash_left


class DeliveryAttempt(models.Model):
    """A door that stayed shut: why, and what next."""

    class Reason(models.TextChoices):
        NOT_HOME = "not_home", _("nobody at home")
        WRONG_ADDRESS = "wrong_address", _("wrong address")
        REFUSED = "refused", _("refused")
        NO_ANSWER = "no_answer", _("no answer to calls")
        OTHER = "other", _("other")

    class Next(models.TextChoices):
        RETRY = "retry", _("try again")
        RETURN = "return", _("back to the shop")
        CALL = "call", _("the manager calls")

    stop = models.ForeignKey(Stop, models.PROTECT, related_name="attempts", verbose_name=_("stop"))
    reason = models.CharField(_("reason"), max_length=13, choices=Reason)
    next_step = models.CharField(_("next"), max_length=6, choices=Next)
    note = models.CharField(_("note"), max_length=500, blank=True)
    photo = models.ForeignKey("florist.StoredFile", models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("failed attempt")
        verbose_name_plural = _("failed attempts")

    def __str__(self) -> str:
        return f"#{self.pk}"


class CourierAction(models.Model):
    """A key of something a courier's phone sent, perhaps twice, perhaps hours later: done once."""

    courier = models.ForeignKey("florist.Employee", models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    what = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("action of a courier")
        verbose_name_plural = _("actions of couriers")
        constraints = [models.UniqueConstraint(fields=["courier", "key"], name="florist_courier_action_once")]

    def __str__(self) -> str:
        return self.what


class CourierDayQuerySet(ShopQuerySet["CourierDay"]):
    """Closed days."""

    def visible_to(self, by: Any) -> ShopQuerySet[CourierDay]:
        """Managers see their shop's, couriers their own, florists none."""
        mine, role = super().visible_to(by), getattr(by, "role", "")
        if role == "courier":
            return mine.filter(courier_id=by.pk)
        return self.none() if role == "florist" else mine

    def standing(self) -> CourierDayQuerySet:
        """Closed and not opened again: the only ones whose money counts."""
        return self.filter(reopened_at=None)


class CourierDay(OfShop):
    """A courier's closed day: what he delivered and the cash he handed over.

    Opened again it stays as history, and the day gets another row. `cash_handed` is the whole day's; `cash_taken` of it
    a manager had accepted before the day was opened again.
    """

    courier = models.ForeignKey("florist.Employee", models.PROTECT, related_name="+", verbose_name=_("courier"))
    day = models.DateField(_("day"))
    delivered = models.PositiveSmallIntegerField(_("delivered"))
    failed = models.PositiveSmallIntegerField(_("failed"))
    cash_expected = models.DecimalField(_("cash expected"), **MONEY)
    cash_handed = models.DecimalField(_("cash handed over"), **MONEY)
    note = models.CharField(_("note"), max_length=500, blank=True)
    accepted_by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)
    cash_taken = models.DecimalField(_("cash taken before"), default=Decimal(0), **MONEY)
    reopened_by = models.ForeignKey("florist.Employee", models.PROTECT, null=True, blank=True, related_name="+")
    reopened_at = models.DateTimeField(_("opened again"), null=True, blank=True)
    reopen_reason = models.CharField(_("why it was opened again"), max_length=500, blank=True)

    objects = CourierDayQuerySet.as_manager()

    class Meta:
        ordering = ["-day", "-id"]
        verbose_name = _("courier's day")
        verbose_name_plural = _("couriers' days")
        constraints = [
            models.UniqueConstraint(
                fields=["courier", "day"], condition=Q(reopened_at=None), name="florist_day_closed_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day:%d.%m.%Y}"
