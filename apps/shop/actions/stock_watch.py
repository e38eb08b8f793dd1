"""Telling the shop's administrators that a product runs out."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import events
from apps.notifications import actions as notifications
from apps.notifications.actions import Saying
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
        low = list(fallen.select_for_update(of=("self",)).only("pk", "name", "size", "quantity"))
        now = timezone.now()
        Slipper.objects.filter(pk__in=[slipper.pk for slipper in low]).update(low_stock_at=now)
        for slipper in low:
            events.publish(
                StockRanLow(
                    slipper_id=slipper.pk,
                    name=slipper.name,
                    size=slipper.size,
                    quantity=slipper.quantity,
                    fell_at=now.isoformat(),
                )
            )
    return len(low)


def tell_administrators(fall: StockRanLow) -> None:
    """A line in the inbox of every administrator of the shop; the same fall tells nobody twice."""
    saying = Saying(
        product=PRODUCT,
        kind=LOW_STOCK,
        title=TITLE,
        facts={"name": fall.name, "size": fall.size, "quantity": fall.quantity},
        payload={"slipper_id": fall.slipper_id, "quantity": fall.quantity},
        key=f"low-stock:{fall.slipper_id}:{fall.fell_at}",
    )
    admins = User.objects.filter(shop_customer__is_admin=True, shop_customer__deleted_at=None, is_active=True)
    notifications.tell_many(users=admins, saying=saying)
