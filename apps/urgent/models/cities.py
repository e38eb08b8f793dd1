"""Towns that people may post in (contract urgent 2.2): open data, editable by staff."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinLengthValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CityQuerySet(models.QuerySet["City"]):
    """Towns."""

    def active(self) -> CityQuerySet:
        """Towns offered in the picker."""
        return self.filter(is_active=True)


class City(models.Model):
    """One town. The name is what orders, filters and subscriptions store, so it is never changed silently.

    Coordinates are the town's centre in degrees (WGS 84); without them the town is left out of distance filters.
    """

    name = models.CharField(
        pgettext_lazy("city", "name"), max_length=100, unique=True, validators=[MinLengthValidator(2)]
    )
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    position = models.PositiveIntegerField(_("position"), default=0, help_text=_("Smaller comes first in the list"))
    is_active = models.BooleanField(_("offered to people"), default=True)

    objects = CityQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("city")
        verbose_name_plural = _("cities")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(latitude=None, longitude=None)
                | models.Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="urgent_city_on_the_globe",
            )
        ]

    def __str__(self) -> str:
        return self.name
