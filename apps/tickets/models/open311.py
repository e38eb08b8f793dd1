"""Who may report through Open311, and what came in that way (contract integrations 11)."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ApiKey(models.Model):
    """A client's right to report. Only a hash of the key is kept; `member` is whose name stands on its tickets."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(
        pgettext_lazy("API key", "name"), max_length=100, unique=True, help_text=_("Whose programme this is")
    )
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    beginning = models.CharField(_("begins with"), max_length=8, editable=False)
    member = models.ForeignKey("tickets.Member", models.PROTECT, related_name="+", verbose_name=_("reports as"))
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("Open311 key")
        verbose_name_plural = _("Open311 keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"


class ServiceRequest(models.Model):
    """A report that came through Open311. The id is the token that its sender may ask with.

    What its sender told of himself is for staff; it never appears in an answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    ticket = models.OneToOneField("tickets.Ticket", models.CASCADE, related_name="service_request")
    api_key = models.ForeignKey(ApiKey, models.PROTECT, related_name="requests", verbose_name=_("key"))
    fingerprint = models.CharField(
        max_length=64, editable=False, help_text=_("The same report of the same day by the same key is one report")
    )
    account_id = models.CharField(pgettext_lazy("Open311", "account"), max_length=100, blank=True)
    device_id = models.CharField(_("device"), max_length=100, blank=True)
    address_id = models.CharField(_("address id"), max_length=100, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    media_url = models.URLField(_("picture elsewhere"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("Open311 report")
        verbose_name_plural = _("Open311 reports")
        constraints = [
            models.UniqueConstraint(fields=["api_key", "fingerprint"], name="tickets_one_report_per_fingerprint")
        ]

    def __str__(self) -> str:
        return str(self.pk)
