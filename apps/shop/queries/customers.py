"""Who shops here, and who is meant by a name, a phone or an e-mail."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.core import phones
from apps.core.errors import Invalid
from apps.shop import errors
from apps.shop.models import Customer, Order

PHONE = re.compile(r"\+?[\d\s()-]{6,20}")
"""What may be meant as a phone; how many digits it must have is the number's own matter."""


def called(text: str) -> Customer | None:
    """The customer who is meant. A phone or e-mail goes before a name, a proved one before one that was only told:
    else one could name himself like somebody's phone, or tell it as his own, and shut him out.
    """
    wanted = text.strip()
    if not wanted or "\x00" in wanted:
        return None
    here = Customer.objects.select_related("user").filter(deleted_at=None)
    if PHONE.fullmatch(wanted):
        phone = plain_phone(wanted)
        if found := here.filter(user__phone=phone).first() or here.filter(phone_number=phone).first():
            return found
    if "@" in wanted:
        email = wanted.lower()
        if found := here.filter(user__email=email).first() or here.filter(email=email).first():
            return found
    named = here.filter(pk__in=Customer.objects.called(wanted).values("pk"))
    return named.first()


def person_called(text: str) -> User | None:
    """The person who signs in: whoever proved this phone or e-mail to the house, a customer, or a person of the house
    who has not shopped yet.
    """
    found = accounts.person_called(text)
    if found is not None and Customer.objects.filter(user=found, deleted_at__isnull=False).exists():
        found = None
    if found is not None and found.username != text.strip().lower():
        return found
    customer = called(text)
    return accounts.person(pk=customer.user_id) if customer else found


def plain_phone(text: str) -> str:
    """E.164 where we know the country; else the digits with their plus."""
    try:
        return phones.normalise(text)
    except Invalid:
        return "+" + re.sub(r"\D", "", text)


def phone_of(customer: Customer) -> str:
    """Where a code is sent: the proved phone of the person, else the one that he told us."""
    return customer.user.phone or customer.phone_number or ""


def profile(customer: Customer) -> dict[str, Any]:
    """What a customer sees of himself; without an id, as the old clients expect (contract shop 1.2)."""
    return {
        "name": customer.name,
        "surname": customer.surname,
        "phone_number": customer.phone_number,
        "is_admin": customer.is_admin,
    }


def full_profile(customer: Customer) -> dict[str, Any]:
    """What an admin sees; never anything about the password (D3)."""
    return {
        "id": customer.pk,
        **profile(customer),
        "email": customer.email,
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
    }


def listed(*, by: Customer, skip: int, limit: int, is_admin: bool | None, search: str) -> tuple[list[Any], int]:
    """One page of customers, newest first, and how many there are in all. Two queries."""
    rows = Customer.objects.visible_to(by).filter(deleted_at=None)
    if is_admin is not None:
        rows = rows.filter(is_admin=is_admin)
    if wanted := search.strip():
        rows = rows.filter(Q(name__icontains=wanted) | Q(surname__icontains=wanted) | Q(phone_number__contains=wanted))
    fields = ("id", "name", "surname", "phone_number", "is_admin", "created_at")
    page = rows.order_by("-created_at", "-id").values(*fields)[skip : skip + limit]
    return list(page), rows.count()


def one(*, by: Customer, customer_id: int) -> Customer:
    """A customer that `by` may see. Raises `CustomerNotFound`."""
    found = Customer.objects.visible_to(by).filter(pk=customer_id, deleted_at=None).first()
    if found is None:
        raise errors.CustomerNotFound()
    return found


def with_orders(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """Customers with `placed_count` (orders) and `bought_for` (what those cost that were paid and not paid back)."""
    mine = Order.objects.filter(customer=OuterRef("pk"), deleted_at=None).order_by().values("customer")
    paid = mine.filter(status__in=Order.PAID)
    return customers.annotate(
        placed_count=Coalesce(Subquery(mine.annotate(count=Count("pk")).values("count")), 0),
        bought_for=Coalesce(Subquery(paid.annotate(total=Sum("total_amount")).values("total")), Decimal(0)),
    )


def latest_orders(customer: Customer, most: int) -> list[Order]:
    """His newest orders. One query."""
    rows = Order.objects.filter(customer=customer, deleted_at=None).order_by("-created_at", "-id")
    return list(rows[:most])
