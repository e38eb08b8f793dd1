"""Districts of a city: where a point belongs, and what routes a ticket (contract tickets 2)."""

from __future__ import annotations

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.models import Timestamped


class District(Timestamped):
    """One district. Coordinates are its centre in degrees (WGS 84).

    `area` is its outline as a GeoJSON Polygon or MultiPolygon; without one, points belong to the nearest centre.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(pgettext_lazy("district", "name"), max_length=100)
    city = models.CharField(_("city"), max_length=100)
    latitude = models.FloatField(_("latitude"), validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(_("longitude"), validators=[MinValueValidator(-180), MaxValueValidator(180)])
    area = models.JSONField(_("outline"), null=True, blank=True)

    class Meta:
        ordering = ["city", "name"]
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        constraints = [
            models.UniqueConstraint(fields=["name", "city"], name="tickets_one_district_per_name_and_city"),
            models.CheckConstraint(
                condition=models.Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="tickets_district_on_the_globe",
            ),
        ]

    def __str__(self) -> str:
        return self.name
