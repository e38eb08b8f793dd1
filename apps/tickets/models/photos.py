"""Pictures of a ticket, and uploads that go straight into the bucket (contract tickets 2, 3)."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Photo(models.Model):
    """One cleaned picture. `slot` numbers those of one type on a ticket from 1: two uploads cannot share a place.

    `latitude` and `longitude` were read from the picture before its metadata was removed: a hint for staff only.
    """

    class Type(models.TextChoices):
        REPORT = "REPORT", _("report")
        PROOF = "PROOF", _("proof of work")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    ticket = models.ForeignKey(
        "tickets.Ticket", models.CASCADE, related_name="photos", db_index=False, verbose_name=_("ticket")
    )
    photo_type = models.CharField(_("type"), max_length=10, choices=Type.choices, default=Type.REPORT)
    slot = models.PositiveSmallIntegerField(_("place"))
    name = models.CharField(_("stored as"), max_length=200, unique=True)
    thumbnail_name = models.CharField(_("small copy stored as"), max_length=200)
    filename = models.CharField(_("name given by the sender"), max_length=255)
    content_type = models.CharField(_("content type"), max_length=40)
    width = models.PositiveIntegerField(_("width, pixels"))
    height = models.PositiveIntegerField(_("height, pixels"))
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    uploaded_by = models.ForeignKey(
        "tickets.Member", models.SET_NULL, related_name="+", null=True, blank=True, verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now)

    class Meta:
        ordering = ["ticket", "photo_type", "slot"]
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "photo_type", "slot"], name="tickets_one_photo_per_place"),
            models.CheckConstraint(condition=models.Q(slot__gte=1), name="tickets_photo_places_start_at_one"),
        ]

    def __str__(self) -> str:
        return f"{self.photo_type} {self.slot}"


class PhotoUpload(models.Model):
    """A form that was given out for an upload straight into the bucket; `photo` is what came of it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, related_name="photo_uploads")
    member = models.ForeignKey("tickets.Member", models.CASCADE, related_name="+")
    photo_type = models.CharField(max_length=10, choices=Photo.Type.choices)
    filename = models.CharField(max_length=255)
    name = models.CharField(max_length=200, unique=True, help_text=_("Where the unproved bytes lie"))
    expires_at = models.DateTimeField(db_index=True)
    photo = models.OneToOneField(Photo, models.CASCADE, related_name="+", null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("direct upload")
        verbose_name_plural = _("direct uploads")

    def __str__(self) -> str:
        return self.name

    def is_over(self, now: datetime) -> bool:
        """The form can no longer be used."""
        return now >= self.expires_at
