"""What a member wants to hear about, and where (contract urgent 3.6, roadmap: e-mail)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WantedCategory(models.Model):
    """A member wants new orders of this category. Rows, not a list in a column: the fan-out asks by category."""

    member = models.ForeignKey("urgent.Member", models.CASCADE, related_name="wanted_categories")
    category = models.CharField(_("category"), max_length=50)

    class Meta:
        ordering = ["id"]
        verbose_name = _("wanted category")
        verbose_name_plural = _("wanted categories")
        constraints = [models.UniqueConstraint(fields=["category", "member"], name="urgent_wanted_category_once")]

    def __str__(self) -> str:
        return self.category


class WantedCity(models.Model):
    """A member wants new orders of this city (by name, as orders store it)."""

    member = models.ForeignKey("urgent.Member", models.CASCADE, related_name="wanted_cities")
    city = models.CharField(_("city"), max_length=100)

    class Meta:
        ordering = ["id"]
        verbose_name = _("wanted city")
        verbose_name_plural = _("wanted cities")
        constraints = [models.UniqueConstraint(fields=["city", "member"], name="urgent_wanted_city_once")]

    def __str__(self) -> str:
        return self.city


class MailBox(models.Model):
    """A member's optional e-mail address; nothing is sent to it but the code until the member has proved it.

    Once proved it becomes the person's own (`accounts.User.email`), and the mail channel of notifications uses it.
    """

    member = models.OneToOneField("urgent.Member", models.CASCADE, related_name="mail_box")
    address = models.EmailField(_("address"), max_length=254)
    code_hash = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(default=timezone.now)
    tries_count = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail box")
        verbose_name_plural = _("mail boxes")

    def __str__(self) -> str:
        return f"mail of {self.member_id}"


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    """Announcements."""

    def waiting(self) -> AnnouncementQuerySet:
        """Claimed for a member and not yet told."""
        return self.filter(status=Announcement.Status.WAITING)


class Announcement(models.Model):
    """One new order for one member. A waiting row is the claim of the member's pause: there is at most one.

    Two orders at once thus give one message; the second is dropped, as contract urgent 3.6 wants.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        DROPPED = "dropped", _("dropped")
        FAILED = "failed", _("failed")

    order = models.ForeignKey("urgent.Order", models.CASCADE, related_name="announcements")
    member = models.ForeignKey("urgent.Member", models.CASCADE, related_name="announcements")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    created_at = models.DateTimeField(default=timezone.now)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = [
            models.UniqueConstraint(fields=["order", "member"], name="urgent_told_once_per_order"),
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(status="waiting"), name="urgent_one_waiting_per_member"
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="urgent_announcements_age")]

    def __str__(self) -> str:
        return f"{self.order_id} → {self.member_id}"
