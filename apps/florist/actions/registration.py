"""Opening a shop: by a proved phone, or through the bot (contract florist 1.1, 3.3, 3.17)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.accounts import tokens
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.models import User
from apps.core import events
from apps.florist import errors
from apps.florist.actions import categories, sessions
from apps.florist.actions.sessions import REGISTRATION, Entrance
from apps.florist.events import ShopOpened
from apps.florist.models import (
    DeliverySlot,
    DeliveryZone,
    Employee,
    Product,
    RegistrationSession,
    Shop,
)

TRIAL_DAYS = 14

PRODUCTS = (
    ("Букет из 25 роз", 10_000, 25_000, 22_000),
    ("Букет тюльпанов", 8_000, 18_000, 16_000),
    ("Композиция в корзине", 15_000, 35_000, 32_000),
)
"""Name, cost, price and sale price of a new shop's first products (contract 3.3)."""

ZONES = (("Центр", 2000), ("Север", 2500), ("Юг", 2500), ("Запад", 3000), ("Восток", 3500), ("Пригород", 5000))
"""Name and price (contract 2)."""

SLOT_HOURS = (9, 11, 13, 15, 17, 19)
"""Windows of two hours (contract 3.7)."""


@dataclass(frozen=True)
class Application:
    """What a new shop tells. `phone` is E.164 and proved; `password` is the owner's first one."""

    phone: str
    name: str
    city: str = "Алматы"
    owner_name: str = ""
    password: str | None = field(default=None, repr=False)
    telegram_username: str | None = None


def complete(
    *, token: str, name: str, city: str = "Алматы", password: str | None = None, caller: Caller = NOWHERE
) -> Entrance:
    """Open a shop with the token that a proved phone got; it serves once.

    Raises `RegistrationTokenInvalid`, `RegistrationExpired`, `ShopExists`, `accounts.PasswordTooWeak`.
    """
    session_id = _session_of(token)
    with transaction.atomic():
        now = timezone.now()
        open_ones = RegistrationSession.objects.filter(pk=session_id, used_at=None, expires_at__gt=now)
        if not open_ones.update(used_at=now):
            raise errors.RegistrationExpired()
        phone = RegistrationSession.objects.get(pk=session_id).phone
        employee = open_shop(Application(phone=phone, name=name, city=city, password=password), caller=caller)
        return Entrance(pair=sessions.open_session(employee, caller=caller), employee=employee, is_new=True)


def _session_of(token: str) -> uuid.UUID:
    try:
        return uuid.UUID(tokens.read(token, REGISTRATION).subject)
    except (accounts.TokenInvalid, ValueError) as problem:
        raise errors.RegistrationTokenInvalid() from problem


def open_shop(application: Application, *, caller: Caller = NOWHERE) -> Employee:
    """A shop with its owner, first products, zones, slots, categories. The caller has proved the phone.

    Raises `ShopExists`, `accounts.PersonBlocked`, `accounts.PasswordTooWeak`.
    """
    taken = Shop.objects.filter(phone=application.phone)
    if taken.exists():
        raise errors.ShopExists()
    try:
        with transaction.atomic():
            return _open(application, caller)
    except IntegrityError:  # the same registration twice at once: the row that won names the refusal
        if taken.exists():
            raise errors.ShopExists() from None
        raise


def _open(application: Application, caller: Caller) -> Employee:
    owner = _owner(application, caller)
    shop = Shop.objects.create(
        owner=owner,
        name=application.name,
        phone=application.phone,
        city=application.city,
        telegram_username=application.telegram_username,
        timezone=settings.FLORIST.timezone,
        trial_ends_at=timezone.now() + timedelta(days=TRIAL_DAYS),
    )
    employee = Employee.objects.create(
        shop=shop,
        user=owner,
        phone=application.phone,
        name=application.owner_name or application.name,
        role=Employee.Role.ADMIN,
        telegram_id=owner.telegram_id,
    )
    furnish(shop)
    events.publish(ShopOpened(shop_id=shop.pk, employee_id=employee.pk))
    return employee


def _owner(application: Application, caller: Caller) -> User:
    """The person of the house with this phone, or a new one; a known one keeps his password unless he chose one now."""
    person = people.person(phone=application.phone)
    if person is None:
        return accounts.register(
            phone=application.phone,
            password=application.password,
            caller=caller,
            first_name=application.owner_name,
            phone_verified_at=timezone.now(),
        )
    if not person.is_active:
        raise accounts.PersonBlocked()
    if application.password is not None:
        accounts.set_password(user=person, new=application.password, caller=caller)
    return person


def furnish(shop: Shop) -> None:
    """What a new shop begins with, in a constant number of statements."""
    own: dict[str, Any] = {"shop": shop}
    Product.objects.bulk_create(_product(shop, *row) for row in PRODUCTS)
    zones = enumerate(ZONES)
    DeliveryZone.objects.bulk_create(
        DeliveryZone(name=name, price=Decimal(price), position=place, **own) for place, (name, price) in zones
    )
    DeliverySlot.objects.bulk_create(
        DeliverySlot(starts_at=time(hour), ends_at=time(hour + 2), **own) for hour in SLOT_HOURS
    )
    categories.ensure(shop)


def _product(shop: Shop, name: str, cost: int, price: int, sale: int) -> Product:
    return Product(
        shop=shop,
        name=name,
        category=Product.Category.COMPOSITION if name.startswith("Композиция") else Product.Category.BOUQUET,
        cost_price=Decimal(cost),
        retail_price=Decimal(price),
        sale_price=Decimal(sale),
    )


def forget_old(*, now: datetime | None = None) -> int:
    """Begun registrations that ended more than a day ago go, with their phones; returns how many."""
    until = (now or timezone.now()) - timedelta(days=1)
    return RegistrationSession.objects.filter(expires_at__lt=until).delete()[0]
