"""What every row of a flower shop has: its shop. Whoever asks sees the rows of his own shop and no others."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet

M = TypeVar("M", bound=models.Model)

MONEY: dict[str, Any] = {"max_digits": 12, "decimal_places": 2}
"""Columns that hold money of the shop's currency."""


class ShopQuerySet(VisibleQuerySet[M]):
    """Rows of one shop (contract florist 3.1)."""

    def visible_to(self, by: Any) -> ShopQuerySet[M]:
        """Those of the shop that `by` works in, all of them for the back office; nothing for the system,

        which names its rows itself.
        """
        if by is None:
            return self.none()
        shop_id = getattr(by, "shop_id", None)
        if shop_id is None:
            return self.all() if by.is_staff else self.none()
        return self.filter(shop_id=shop_id)


class OfShop(models.Model):
    """Base of everything that belongs to one shop."""

    shop = models.ForeignKey("florist.Shop", models.PROTECT, related_name="+", db_index=False, verbose_name=_("shop"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        abstract = True
