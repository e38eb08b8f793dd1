"""A shop's own figures, and what the platform decides about it (contract florist 1.6, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.conf import PRODUCT
from apps.florist.models import DeliveryZone, Employee, Order, Shop
from apps.notifications import live


@dataclass(frozen=True)
class ZoneWish:
    """A zone by its name."""

    name: str
    price: Decimal
    min_order: Decimal | None = None
    description: str | None = None


def update(*, by: Any, zones: Sequence[ZoneWish] | None = None, shop_id: int | None = None, **changes: Any) -> Shop:
    """Change the shop of `by` (or, for the platform's staff, another); `zones` replaces the whole list of prices.

    The currency is chosen before the first order. Raises `NotEnoughPermissions`, `EmailInUse`, `CurrencyFixed`,
    `Invalid` for an unknown time zone.
    """
    access.ensure_may(by, "settings")
    if "timezone" in changes:
        _ensure_zone(changes["timezone"])
    with transaction.atomic():
        shop = _locked(by, shop_id)
        _ensure_currency(shop, changes.get("currency", shop.currency))
        for name, value in changes.items():
            setattr(shop, name, value)
        _save(shop)
        if zones is not None:
            _replace_zones(shop, zones)
    return shop


def _locked(by: Any, shop_id: int | None) -> Shop:
    """The shop, locked. Only the platform's staff may name one. Raises `ShopNotFound`."""
    wanted = by.shop_id if isinstance(by, Employee) else shop_id
    found = Shop.objects.select_for_update(no_key=True).filter(pk=wanted or 0).first()
    if found is None:
        raise errors.ShopNotFound()
    return found


def _save(shop: Shop) -> None:
    shop.updated_at = timezone.now()
    try:
        with transaction.atomic():
            shop.save()
    except IntegrityError:
        if shop.email and Shop.objects.filter(email=shop.email).exclude(pk=shop.pk).exists():
            raise errors.EmailInUse() from None
        raise errors.NameTaken(what="Domain") from None


def _ensure_currency(shop: Shop, wanted: str) -> None:
    """Sums of orders that exist cannot be read in another currency."""
    if wanted != shop.currency and Order.objects.filter(shop=shop).exists():
        raise errors.CurrencyFixed()


def _ensure_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as problem:
        raise Invalid.field("timezone", "unknown time zone", given=name) from problem


def _replace_zones(shop: Shop, zones: Sequence[ZoneWish]) -> None:
    """By name: known ones change their price, new ones begin, the others are out of use; orders keep theirs."""
    names = [zone.name for zone in zones]
    if len(set(names)) < len(names):
        raise errors.NameTaken(what="Zone")
    DeliveryZone.objects.filter(shop=shop).exclude(name__in=names).update(is_active=False, updated_at=timezone.now())
    for place, zone in enumerate(zones):
        values: dict[str, Any] = {"price": zone.price, "is_active": True, "position": place}
        if zone.min_order is not None:
            values["min_order"] = zone.min_order
        if zone.description is not None:
            values["description"] = zone.description
        DeliveryZone.objects.update_or_create(
            shop=shop, name=zone.name, defaults={**values, "updated_at": timezone.now()}
        )


# ── what the platform decides ───────────────────────────────────────────────────────────────────────────────────────
def set_plan(*, by: Any, shop_id: int, plan: str, trial_ends_at: datetime | None = None) -> Shop:
    """Basic, standard or premium; until when it is a trial. Raises `NotEnoughPermissions`, `ShopNotFound`."""
    return _by_the_platform(by, shop_id, plan=plan, trial_ends_at=trial_ends_at)


def set_verified(*, by: Any, shop_id: int, is_verified: bool) -> Shop:
    """Papers were looked at. Raises `NotEnoughPermissions`, `ShopNotFound`."""
    return _by_the_platform(by, shop_id, is_verified=is_verified)


def set_open(*, by: Any, shop_id: int, is_active: bool) -> Shop:
    """Close a shop: nobody signs in, its storefront is 404; or open it again. Nothing is lost.

    Raises `NotEnoughPermissions`, `ShopNotFound`.
    """
    shop = _by_the_platform(by, shop_id, is_active=is_active)
    if not is_active:
        for user_id in Employee.objects.filter(shop=shop).values_list("user_id", flat=True):
            live.regroup(user_id, PRODUCT)
    return shop


def _by_the_platform(by: Any, shop_id: int, **changes: Any) -> Shop:
    ensure(not isinstance(by, Employee), errors.NotEnoughPermissions)
    ensure(by is None or (by.is_active and by.has_perm("florist.change_shop")), errors.NotEnoughPermissions)
    with transaction.atomic():
        shop = _locked(by, shop_id)
        for name, value in changes.items():
            setattr(shop, name, value)
        _save(shop)
    return shop
