"""Pictures that people uploaded: a row per file, so that a list never walks through the storage."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StoredFile(models.Model):
    """A picture in the storage under a name of ours. A profile photo has an owner, a news picture has none."""

    class Kind(models.TextChoices):
        PROFILE_PHOTO = "profile_photo", _("profile photo")
        NEWS_IMAGE = "news_image", _("news picture")

    name = models.CharField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    owner = models.ForeignKey(
        "loyalty.Client", models.CASCADE, null=True, blank=True, related_name="files", verbose_name=_("guest")
    )
    content_type = models.CharField(_("type"), max_length=32)
    size = models.PositiveIntegerField(_("bytes"))
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("uploaded picture")
        verbose_name_plural = _("uploaded pictures")
        indexes = [models.Index(fields=["-created_at", "-id"], name="loyalty_files_newest")]

    def __str__(self) -> str:
        return self.name
