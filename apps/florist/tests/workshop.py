"""Orders that are to be made and brought, for the tests of production and delivery."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from apps.florist.actions import lifecycle, orders, production, workbench
from apps.florist.actions.orders import LineWish, OrderDraft
from apps.florist.models import Employee, Order, Product, ProductionTask, Shop
from apps.florist.tests import cast


def picture(name: str = "bouquet.jpg", colour: str = "red") -> SimpleUploadedFile:
    """A small real JPEG."""
    raw = io.BytesIO()
    Image.new("RGB", (24, 24), colour).save(raw, "JPEG")
    return SimpleUploadedFile(name, raw.getvalue(), content_type="image/jpeg")


def order(
    where: Shop,
    *lines: tuple[Product, int],
    paid: bool = True,
    due_in: timedelta | None = timedelta(hours=6),
    **more: Any,
) -> Order:
    """An order of the shop; of one bouquet unless told otherwise. `due_in` is when its window begins."""
    wishes = lines or ((cast.product(where), 1),)
    starts = timezone.now() + due_in if due_in is not None else None
    more.setdefault("delivery_method", Order.Method.DELIVERY)
    more.setdefault("address", "Abay 10")
    more.setdefault("recipient_phone", "+77010000099")
    more.setdefault("payment_method", Order.PaymentMethod.CASH)
    draft = OrderDraft(
        customer_phone=more.pop("customer_phone", "+77019998877"),
        items=tuple(LineWish(product_id=product.pk, quantity=pieces) for product, pieces in wishes),
        window=(starts, starts + timedelta(hours=2)) if starts else None,
        ignores_limits=True,
        **more,
    )
    made = orders.create(by=None, shop=where, draft=draft, allow_short=True)
    if paid:
        made = lifecycle.move(by=None, order_id=made.pk, to=Order.Status.PAID, allow_short=True)
    return made


def task(where: Shop, **more: Any) -> ProductionTask:
    """The only task of a new paid order."""
    return ProductionTask.objects.get(order=order(where, **more))


def started(where: Shop, florist: Employee, **more: Any) -> ProductionTask:
    """A task that this florist works on."""
    made = task(where, **more)
    production.assign(by=florist, task_id=made.pk, florist_id=florist.pk)
    return production.start(by=florist, task_id=made.pk)


def handed_in(where: Shop, florist: Employee, **more: Any) -> ProductionTask:
    """A task that waits for its check, with a picture."""
    made = started(where, florist, **more)
    workbench.add_photo(by=florist, task_id=made.pk, file=picture())
    return production.complete(by=florist, task_id=made.pk)


def assembled(where: Shop, **more: Any) -> Order:
    """An order that a courier may take."""
    made = order(where, **more)
    return lifecycle.move(by=None, order_id=made.pk, to=Order.Status.ASSEMBLED)


def ago(**spans: float) -> datetime:
    """A moment in the past."""
    return timezone.now() - timedelta(**spans)


TOTAL = Decimal(10_000)
"""What an order of one bouquet costs."""
