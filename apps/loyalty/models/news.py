"""What the restaurant tells everybody: news on a page, announcements into inboxes (contract loyalty 2)."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class NewsQuerySet(models.QuerySet["News"]):
    """Questions about news."""

    def showing(self, now: datetime) -> NewsQuerySet:
        """Inside their window now; an open end is open."""
        begun = Q(starts_at=None) | Q(starts_at__lte=now)
        return self.filter(begun, Q(ends_at=None) | Q(ends_at__gt=now))


class News(models.Model):
    """A piece of news, shown from `starts_at` to `ends_at`; higher `priority` first, then the newest."""

    title = models.CharField(_("title"), max_length=255)
    description = models.TextField(_("text"))
    image_url = models.CharField(_("picture"), max_length=500, null=True, blank=True)
    starts_at = models.DateTimeField(_("shown from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("shown until"), null=True, blank=True)
    priority = models.IntegerField(_("priority"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = NewsQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "-created_at", "-id"]
        verbose_name = _("piece of news")
        verbose_name_plural = _("news")
        indexes = [models.Index(fields=["-priority", "-created_at", "-id"], name="loyalty_news_order")]

    def __str__(self) -> str:
        return self.title


class Announcement(models.Model):
    """A message to every client. The broadcast behind it carries it into inboxes; deleting takes it out of them."""

    title = models.CharField(_("title"), max_length=255)
    description = models.TextField(_("text"))
    broadcast = models.OneToOneField(
        "notifications.Broadcast", models.SET_NULL, null=True, related_name="+", verbose_name=_("broadcast")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        indexes = [models.Index(fields=["-id"], name="loyalty_announcements", condition=Q(deleted_at=None))]

    def __str__(self) -> str:
        return self.title
