"""Sample data of the whole house: staff, then every product's own people and things. Once is enough."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from apps.portal import demo, products


def staff() -> list[str]:
    """Create the sample staff with their roles and the published password; returns the names that are new."""
    return [name for name in demo.STAFF if _hire(name, demo.STAFF[name][1])]


def _hire(name: str, roles: tuple[str, ...]) -> bool:
    people = get_user_model().objects
    if people.filter(username=name).exists():
        return False
    is_admin = name == demo.ADMIN
    with transaction.atomic():
        person = people.create_user(
            username=name, password=demo.PASSWORD, first_name=name.capitalize(), is_staff=True, is_superuser=is_admin
        )
        person.groups.set(Group.objects.filter(name__in=roles))
    return True


def products_with_samples() -> list[str]:
    """Mounted products that have a `seeding` module."""
    return [product.base for product in products.mounted() if find_spec(f"apps.{product.base}.seeding")]


def plant(product: str) -> str:
    """Run one product's `seed()`; returns its one-line summary."""
    return str(import_module(f"apps.{product}.seeding").seed())


def ways_in(product: str) -> list[str]:
    """Lines that tell how its sample people sign in."""
    return [str(line) for line in import_module(f"apps.{product}.seeding").WAYS_IN]
