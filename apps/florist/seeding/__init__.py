"""Sample data for every screen of the flower shops: two shops, twelve people, buyers, sixty days of orders and stock.

Rows of the past are written as rows, because actions know the present only. The stock is lived through day by day, so
that movements add up, reservations belong to open orders, and the checks of the night find nothing.
"""

from __future__ import annotations

from django.db import transaction

from apps.florist.models import Employee, Order, Shop
from apps.florist.seeding import days, opening, samples
from apps.florist.seeding.samples import WAYS_IN


def seed() -> str:
    """Plant both shops once. Returns what was done."""
    if Shop.objects.filter(phone=samples.SHOPS[0][1]).exists():
        return "already there"
    with transaction.atomic():
        persons = opening.persons()
        houses = [opening.open_shop(number, persons) for number in range(len(samples.SHOPS))]
        for house, pace in zip(houses, samples.ORDERS_A_DAY, strict=True):
            days.live_through(house, pace)
            days.count_buyers(house)
    people, orders = Employee.objects.count(), Order.objects.count()
    return f"{len(houses)} shops, {people} seats, {len(houses) * samples.CUSTOMERS} buyers, {orders} orders"


__all__ = ["WAYS_IN", "seed"]
