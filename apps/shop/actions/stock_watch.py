"""Telling staff that a product runs out."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import events
from apps.notifications import actions as notifications
from apps.notifications.channels import INBOX, MAIL, register_kind
from apps.shop.conf import PRODUCT
from apps.shop.events import StockRanLow
from apps.shop.models import Slipper

LOW_STOCK = "low_stock"
TITLE = _("{name}, size {size}: {quantity} left")
register_kind(LOW_STOCK, (INBOX, MAIL), _("A product runs out"), product=PRODUCT)


def look(ids: Iterable[int] | None = None) -> int:
    """Announce products that fell to `LOW_STOCK` pieces, once per fall, and forget those that were filled up again.

    Returns how many were announced. Buying calls it through the job, not in its own transaction: selling must not
    wait for the news.
    """
    rows = Slipper.objects.alive() if ids is None else Slipper.objects.alive().filter(pk__in=list(ids))
    most = settings.SHOP.low_stock
    with transaction.atomic():
        rows.filter(quantity__gt=most, low_stock_at__isnull=False).update(low_stock_at=None)
        fallen = rows.filter(quantity__lte=most, low_stock_at=None).order_by("pk")
        low = list(fallen.select_for_update(of=("self",)).only("pk", "quantity"))
        Slipper.objects.filter(pk__in=[slipper.pk for slipper in low]).update(low_stock_at=timezone.now())
        for slipper in low:
            events.publish(StockRanLow(slipper_id=slipper.pk, quantity=slipper.quantity))
    return len(low)


def tell_staff(*, slipper_id: int, quantity: int) -> None:
    """A line in the inbox of every administrator of the shop; the same fall tells nobody twice."""
    slipper = Slipper.objects.filter(pk=slipper_id).first()
    if slipper is None or slipper.low_stock_at is None:
        return
    facts = {"name": slipper.name, "size": slipper.size, "quantity": quantity}
    for person in User.objects.filter(shop_customer__is_admin=True, shop_customer__deleted_at=None, is_active=True):
        notifications.tell(
            user=person,
            product=PRODUCT,
            kind=LOW_STOCK,
            title=TITLE,
            facts=facts,
            payload={"slipper_id": slipper_id, "quantity": quantity},
            key=f"low-stock:{slipper_id}:{slipper.low_stock_at.isoformat()}",
        )
