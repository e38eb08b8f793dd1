"""What we still have to tell iiko, and what iiko has told us (contract loyalty 2, 4)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class IikoJob(models.Model):
    """One deed to be done at iiko. A guest's jobs (same `phone`) are done one after another, oldest first.

    pending → running → success, or failed (again at `due_at`) and, after `most_attempts`, paused until staff resume it.
    A running row past `claimed_until` lost its worker. `asked_count` grows when the same deed is asked for again while
    the row is open: a run that began before does not close it.
    """

    class Operation(models.TextChoices):
        SYNC_USER = "sync_user", _("read the guest")
        FLUSH_PROFILE = "flush_profile", _("write the profile")
        MARK_DELETED = "mark_deleted", _("strike the guest off")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        RUNNING = "running", pgettext_lazy("job", "running")
        FAILED = "failed", _("failed, will be tried again")
        PAUSED = "paused", _("paused")
        SUCCESS = "success", _("done")

    client = models.ForeignKey(
        "loyalty.Client", models.CASCADE, related_name="iiko_jobs", db_index=False, verbose_name=_("guest")
    )
    phone = models.CharField(_("phone"), max_length=20, help_text=_("the real one: the row of a client may lose it"))
    operation = models.CharField(_("operation"), max_length=32, choices=Operation.choices)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.PENDING)
    asked_count = models.PositiveIntegerField(_("times asked for"), default=1)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    delays = models.PositiveSmallIntegerField(
        _("times put off"), default=0, help_text=_("iiko was busy or down; that uses no attempt")
    )
    most_attempts = models.PositiveSmallIntegerField(_("most attempts"), default=8)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    claimed_by = models.CharField(_("claimed by"), max_length=64, blank=True)
    last_attempt_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("iiko job")
        verbose_name_plural = _("iiko jobs")
        constraints = [
            models.UniqueConstraint(
                fields=["client", "operation"],
                condition=Q(state__in=("pending", "running", "failed", "paused")),
                name="loyalty_one_open_iiko_job",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="loyalty_job_due", condition=Q(state__in=("pending", "failed"))),
            models.Index(fields=["claimed_until"], name="loyalty_job_stuck", condition=Q(state="running")),
            models.Index(
                fields=["phone", "id"],
                name="loyalty_job_order",
                condition=Q(state__in=("pending", "failed", "running")),
            ),
            models.Index(fields=["client", "-id"], name="loyalty_jobs_of_client"),
            models.Index(fields=["completed_at"], name="loyalty_job_done", condition=Q(state="success")),
        ]

    def __str__(self) -> str:
        return f"{self.operation} #{self.pk}"


class IikoReconciliation(models.Model):
    """One night's comparison of purses with iiko: jobs read the guests, each writes here what it found."""

    started_at = models.DateTimeField(_("started"), default=timezone.now)
    asked_count = models.PositiveIntegerField(_("guests asked about"), default=0)
    checked_count = models.PositiveIntegerField(_("guests compared"), default=0)
    differing_count = models.PositiveIntegerField(_("balances that differed"), default=0)
    missing_count = models.PositiveIntegerField(_("guests unknown in iiko"), default=0)
    paused_count = models.PositiveIntegerField(
        _("guests left out"), default=0, help_text=_("their reading is paused until staff resume it")
    )
    levelled_total = models.DecimalField(
        _("sum levelled"), max_digits=16, decimal_places=2, default=0, help_text=_("without signs")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("reconciliation with iiko")
        verbose_name_plural = _("reconciliations with iiko")

    def __str__(self) -> str:
        return f"{self.checked_count}/{self.asked_count}"


class IikoNotice(models.Model):
    """One movement that iiko told us of, kept once per event. A parked one waits for its guest to become our client."""

    class State(models.TextChoices):
        APPLIED = "applied", _("posted to the purse")
        PARKED = "parked", _("guest unknown")

    key = models.CharField(_("key"), max_length=128, unique=True)
    client = models.ForeignKey(
        "loyalty.Client",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="iiko_notices",
        db_index=False,
        verbose_name=_("guest"),
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices)
    kind = models.CharField(_("transaction type"), max_length=40)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    balance = models.DecimalField(_("balance after"), max_digits=14, decimal_places=2, null=True)
    customer_id = models.CharField(_("guest"), max_length=64, blank=True)
    wallet_id = models.CharField(_("wallet"), max_length=64, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    event_id = models.CharField(_("event"), max_length=128, blank=True)
    uoc_id = models.CharField(_("uoc id"), max_length=128, blank=True)
    order_id = models.CharField(_("order"), max_length=64, blank=True)
    order_number = models.CharField(_("order number"), max_length=64, blank=True)
    terminal_group_id = models.CharField(_("terminal group"), max_length=64, blank=True)
    changed_on = models.DateTimeField(_("changed on"), null=True, help_text=_("by iiko's clock"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    applied_at = models.DateTimeField(_("posted at"), null=True, blank=True)
    transaction_id = models.BigIntegerField(_("transaction"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("iiko notice")
        verbose_name_plural = _("iiko notices")
        indexes = [
            models.Index(fields=["client", "-id"], name="loyalty_notices_of_client"),
            models.Index(fields=["customer_id"], name="loyalty_parked_guest", condition=Q(state="parked")),
            models.Index(fields=["wallet_id"], name="loyalty_parked_wallet", condition=Q(state="parked")),
            models.Index(fields=["phone"], name="loyalty_parked_phone", condition=Q(state="parked")),
            models.Index(fields=["received_at"], name="loyalty_notice_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} #{self.pk}"
