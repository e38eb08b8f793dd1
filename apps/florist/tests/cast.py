"""Owner Olga, manager Bek, florists Aida and Gulnar, courier Ruslan of one shop; Dana of the shop next door."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

from django.test import Client

from apps.accounts import tokens
from apps.accounts.models import User
from apps.florist.conf import PRODUCT
from apps.florist.models import Batch, Customer, Employee, Movement, Product, ProductComponent, Shop

Role = Employee.Role
_numbers = itertools.count(1)


def shop(name: str = "Rosa", **more: Any) -> Shop:
    """A shop that is open."""
    return Shop.objects.create(name=name, phone=f"+7727{next(_numbers):07d}", **more)


def employee(where: Shop, role: str, name: str = "Aida", **more: Any) -> Employee:
    """Somebody who works there, with a person behind."""
    number = next(_numbers)
    phone = more.pop("phone", f"+7701{number:07d}")
    user = more.pop("user", None) or User.objects.create_user(username=f"florist-{number}", phone=phone, language="en")
    return Employee.objects.create(shop=where, user=user, phone=phone, name=name, role=role, **more)


def product(where: Shop, name: str = "Red roses", price: int = 10_000, **more: Any) -> Product:
    """A bouquet on sale."""
    more.setdefault("category", Product.Category.BOUQUET)
    return Product.objects.create(
        shop=where, name=name, cost_price=Decimal(price) / 2, retail_price=Decimal(price), **more
    )


def recipe(of: Product, variety: str = "Red Naomi", stems: int = 11, height_cm: int | None = 60) -> ProductComponent:
    """So many stems of a variety in each piece."""
    return ProductComponent.objects.create(
        product=of, component_type="flower", name=variety, variety=variety, height_cm=height_cm, quantity=Decimal(stems)
    )


def batch(where: Shop, variety: str = "Red Naomi", qty: int = 100, height_cm: int = 60, **more: Any) -> Batch:
    """Stems in the warehouse with the movement that brought them."""
    number = next(_numbers)
    more.setdefault("delivery_date", "2026-11-01")
    found = Batch.objects.create(
        shop=where,
        sku=f"SKU-{number}",
        batch_code=f"B{number}",
        variety=variety,
        height_cm=height_cm,
        farm="Farm",
        supplier=more.pop("supplier", "Supplier"),
        cost=more.pop("cost", Decimal(300)),
        price=more.pop("price", Decimal(600)),
        recommended_price=Decimal(600),
        qty=qty,
        **more,
    )
    Movement.objects.create(
        shop=where, warehouse_item=found, type="in", reason="receipt", quantity=qty, qty_before=0, qty_after=qty
    )
    found.refresh_from_db()
    return found


def customer(where: Shop, name: str = "Ivan", **more: Any) -> Customer:
    """A buyer of the shop."""
    return Customer.objects.create(shop=where, name=name, phone=f"+7702{next(_numbers):07d}", **more)


class Caller:
    """A client of the API; `body` goes as JSON."""

    def __init__(self, who: Employee | None = None, *, base: str = "/florist") -> None:
        self.client = Client(raise_request_exception=False)
        self.base = base
        self.headers: dict[str, str] = {}
        if who is not None:
            pair = tokens.issue(who.user, PRODUCT, who.pk)
            self.headers = {"Authorization": f"Bearer {pair.access}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            f"{self.base}{path}",
            data=b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={**self.headers, **headers},
        )
