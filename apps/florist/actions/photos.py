"""Pictures of orders: bouquets in work and finished, proofs of delivery (contract florist 1.2, 3.9)."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.core import events
from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.access import employee_of
from apps.florist.actions import lifecycle, records, uploads
from apps.florist.events import PhotoAdded
from apps.florist.models import Order, OrderPhoto, ProductionTask, StoredFile

LONGEST_URL = 500
MOST_PHOTOS = 30
"""Pictures of one order."""
ALWAYS_TAKEN = (OrderPhoto.Type.DELIVERY_PROOF, OrderPhoto.Type.PRE_DELIVERY)


def add(
    *,
    by: Any,
    order_id: int,
    photo_type: str,
    file: Any = None,
    url: str = "",
    description: str | None = None,
) -> OrderPhoto:
    """Put a picture to an order: an upload, a `StoredFile`, or the address of one of the shop's own pictures.

    It opens with a signature only from then on, unless the catalogue shows it too.
    Raises `OrderNotFound`, `NotEnoughPermissions` for what is not one's own, `Invalid`, and what `uploads.store` does.
    """
    access.ensure_may(by, "orders", "own")
    order = _own(by, order_id)
    # The proof of a delivery and the picture of an approved bouquet are never refused: somebody stands at a door.
    if photo_type not in ALWAYS_TAKEN and order.photos.count() >= MOST_PHOTOS:
        raise Invalid.field("file", f"Value error, at most {MOST_PHOTOS} pictures of one order")
    stored = _stored(by, order, file) if file is not None else _known(order, url)
    with transaction.atomic():
        locked = records.lock(None, order.pk)
        if stored is not None:
            uploads.hide([stored])
        photo = OrderPhoto.objects.create(
            order=locked,
            file=stored,
            photo_url=uploads.path_of(stored) if stored else url,
            photo_type=photo_type,
            description=description or None,
            uploaded_by=employee_of(by),
        )
        if photo_type == OrderPhoto.Type.PRE_DELIVERY and not locked.has_pre_delivery_photos:
            records.save(locked, has_pre_delivery_photos=True)
        events.publish(PhotoAdded(order_id=locked.pk, shop_id=locked.shop_id, photo_id=photo.pk, photo_type=photo_type))
    return photo


def _own(by: Any, order_id: int) -> Order:
    """The order, for whom it belongs to, who makes it, or who runs the shop."""
    rows = Order.objects.select_related("shop").filter(pk=order_id)
    if by is not None and getattr(by, "shop_id", None) is not None:
        rows = rows.filter(shop_id=by.shop_id)
    order = rows.first()
    if order is None:
        raise errors.OrderNotFound()
    if by is not None and access.level(by, "orders") == "own" and not _makes(by, order):
        ensure(Order.objects.visible_to(by).filter(pk=order.pk).exists(), errors.OrderNotFound)
        ensure(lifecycle.is_own(by, order), errors.NotEnoughPermissions)
    return order


def _makes(by: Any, order: Order) -> bool:
    return ProductionTask.objects.filter(order=order, florist=by).exists()


def _stored(by: Any, order: Order, file: Any) -> StoredFile:
    """Private: whoever sees it got a signed address."""
    if isinstance(file, StoredFile):
        ensure(file.shop_id == order.shop_id, errors.OrderNotFound)
        return file
    try:
        return uploads.store(by=by, shop=order.shop, file=file, is_public=False)
    except errors.FileUnreadable as problem:  # 422 on this path (contract 1.2), where uploads of their own answer 400
        raise Invalid.field("file", f"Value error, {problem}") from problem


def _known(order: Order, url: str) -> StoredFile | None:
    """One of the shop's own uploads, or None for an address outside. Raises `Invalid`."""
    path = url.split("?", 1)[0]
    name = path.rsplit(uploads.PREFIX, 1)[-1] if uploads.PREFIX in path else ""
    found = StoredFile.objects.filter(shop_id=order.shop_id, name=name).first() if name else None
    is_outside = not name and url.startswith("https://")
    if len(url) > LONGEST_URL or not (found or is_outside):
        raise Invalid.field("url", "Value error, an uploaded picture or an https address")
    return found
