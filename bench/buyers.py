"""Buyers with open sessions and goods in numbers, for the shop's benchmarks."""

from __future__ import annotations

from apps.accounts.models import User
from apps.shop.actions import sessions
from apps.shop.models import Customer, Slipper


def bring(mark: str, count: int) -> list[Customer]:
    """So many buyers whose names begin with `mark`."""
    users = User.objects.bulk_create(User(first_name=f"{mark} {number}") for number in range(count))
    return Customer.objects.bulk_create(
        Customer(user=user, name=f"{mark} {number}", surname="Buyer") for number, user in enumerate(users)
    )


def tokens(buyers: list[Customer]) -> list[str]:
    """A sign-in for each."""
    return [sessions.open_session(buyer).access for buyer in buyers]


def stock(mark: str, count: int, quantity: int) -> list[int]:
    """So many products, each with `quantity` pieces; their ids."""
    made = Slipper.objects.bulk_create(
        Slipper(name=f"{mark} {number}", size="42", price=45_000, quantity=quantity, search_text=f"{mark} {number}\n42")
        for number in range(count)
    )
    return [slipper.pk for slipper in made]
