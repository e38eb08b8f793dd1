"""What there is to repair, and which team repairs it where (contract tickets 2)."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.tickets.models.districts import District


class Category(models.Model):
    """A kind of trouble: lighting, traffic, waste."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, null=True, blank=True)
    is_active = models.BooleanField(_("open for new tickets"), default=True)
    is_other = models.BooleanField(
        _("takes what is left"), default=False, help_text=_("Tickets of a deleted category move here")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints = [
            models.UniqueConstraint(Lower("name"), name="tickets_one_category_per_name"),
            models.UniqueConstraint(
                fields=["is_other"], condition=models.Q(is_other=True), name="tickets_one_other_category"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """People who repair some categories in some districts. The fallback team takes what no other team covers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, null=True, blank=True)
    is_fallback = models.BooleanField(
        _("takes what nobody covers"), default=False, help_text=_("One team at most; it cannot be deleted")
    )
    categories = models.ManyToManyField(Category, related_name="teams", blank=True, verbose_name=_("categories"))
    districts = models.ManyToManyField(District, related_name="teams", blank=True, verbose_name=_("districts"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(Lower("name"), name="tickets_one_team_per_name"),
            models.UniqueConstraint(
                fields=["is_fallback"], condition=models.Q(is_fallback=True), name="tickets_one_fallback_team"
            ),
        ]

    def __str__(self) -> str:
        return self.name
