"""What the two sides say about each other, and what staff decided about it (contract urgent 3.5)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reviews."""

    def shown(self) -> ReviewQuerySet:
        """Not hidden by a moderator: the only ones that count and that people read."""
        return self.filter(status=Review.Status.SHOWN)


class Review(models.Model):
    """The client's stars for one executor of one order. A hidden review does not count in the mean."""

    class Status(models.TextChoices):
        SHOWN = "shown", _("shown")
        HIDDEN = "hidden", _("hidden")

    order = models.ForeignKey("urgent.Order", models.PROTECT, related_name="reviews", verbose_name=_("order"))
    client = models.ForeignKey("urgent.Member", models.PROTECT, related_name="reviews_given", verbose_name=_("client"))
    executor = models.ForeignKey(
        "urgent.Member", models.PROTECT, related_name="reviews_received", verbose_name=_("executor")
    )
    rating = models.PositiveSmallIntegerField(_("rating"))
    comment = models.CharField(_("comment"), max_length=500, null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.SHOWN)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    hidden_at = models.DateTimeField(_("hidden at"), null=True, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(fields=["order", "client", "executor"], name="urgent_one_review_per_executor"),
            models.CheckConstraint(condition=models.Q(rating__range=(1, 5)), name="urgent_rating_of_one_to_five"),
        ]
        indexes = [
            models.Index(fields=["executor", "status", "-id"], name="urgent_reviews_of_executor"),
            models.Index(fields=["client", "-id"], name="urgent_reviews_by_client"),
            models.Index(fields=["status", "-id"], name="urgent_reviews_shown"),
        ]

    def __str__(self) -> str:
        return f"{self.rating}/5, {self.order_id}"


class Complaint(models.Model):
    """An executor's complaint about a client. Nothing follows by itself; a moderator resolves or dismisses it."""

    class Reason(models.TextChoices):
        """The wire value is the Russian text: the front end sends exactly these."""

        NO_ANSWER = "Не отвечал", _("Did not answer")
        CANCELLED = "Отменил заказ", _("Cancelled the order")
        RUDE = "Неадекватное поведение", _("Unacceptable behaviour")
        FALSE = "Ложная информация", _("False information")
        OTHER = "Другое", _("Other")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved")
        DISMISSED = "dismissed", _("dismissed")

    order = models.ForeignKey("urgent.Order", models.PROTECT, related_name="complaints", verbose_name=_("order"))
    executor = models.ForeignKey(
        "urgent.Member", models.PROTECT, related_name="complaints_made", verbose_name=_("executor")
    )
    client = models.ForeignKey(
        "urgent.Member", models.PROTECT, related_name="complaints_received", verbose_name=_("client")
    )
    complaint = models.CharField(_("complaint"), max_length=40, choices=Reason.choices)
    comment = models.CharField(_("comment"), max_length=500, null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("complaint")
        verbose_name_plural = _("complaints")
        permissions = [("moderate", "Can hide reviews and decide complaints")]
        constraints = [
            models.UniqueConstraint(fields=["order", "executor"], name="urgent_one_complaint_per_order"),
        ]
        indexes = [models.Index(fields=["status", "-id"], name="urgent_complaints_to_decide")]

    def __str__(self) -> str:
        return f"{self.complaint}, {self.order_id}"
