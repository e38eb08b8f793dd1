"""Who works where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from apps.accounts import queries as people
from apps.accounts.models import Session, User
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee
from apps.florist.models.base import ShopQuerySet

MOST_JOBS = 50
"""Jobs of one person that are looked at."""


def working() -> ShopQuerySet[Employee]:
    """Everybody who may sign in: works in a shop that is open; with person and shop."""
    rows = Employee.objects.filter(is_active=True, shop__is_active=True, user__is_active=True)
    return rows.select_related("shop", "user")


def named(user: Any, subject: str) -> Employee | None:
    """The employee whom a token names, if he is this person and still works there."""
    if not (subject.isascii() and subject.isdigit() and len(subject) < 19):
        return None
    return working().filter(user=user, pk=int(subject)).first()


def of_person(user: User, shop_id: int | None = None) -> Employee | None:
    """Where the person works; of several shops the wanted one, else the usual one."""
    return _chosen(working().filter(user=user), shop_id)


def of_phone(phone: str, shop_id: int | None = None) -> Employee | None:
    """Whoever signs in with this phone: it stands on his row, or the house knows him by it."""
    whose = Q(phone=phone)
    if (person := people.person(phone=phone)) is not None:
        whose |= Q(user=person)
    return _chosen(working().filter(whose), shop_id)


def _chosen(rows: ShopQuerySet[Employee], shop_id: int | None) -> Employee | None:
    if shop_id:
        return rows.filter(shop_id=shop_id).first()
    return usual(list(rows.order_by("id")[:MOST_JOBS]))


def usual(jobs: Sequence[Employee]) -> Employee | None:
    """The job that somebody signed in to last, else the first of these.

    Never simply the newest: whoever hires a stranger's phone must not find him at his own door.
    """
    subjects = {str(job.pk): job for job in jobs}
    users = {job.user_id for job in jobs}
    last = Session.objects.filter(user__in=users, audience=PRODUCT, subject__in=subjects) if len(jobs) > 1 else None
    found = last.order_by("-created_at").values_list("subject", flat=True).first() if last is not None else None
    return subjects[found] if found else next(iter(jobs), None)


def owns_a_closed_shop(phone: str) -> bool:
    """Whether an owner with this phone was shut out together with his shop."""
    return Employee.objects.filter(phone=phone, role=Employee.Role.ADMIN, shop__is_active=False).exists()


def person_called(text: str) -> User | None:
    """Who signs in with this phone or e-mail and a password.

    An address that the house knows goes first; of several shops' unproved ones the oldest, which nobody can overtake.
    """
    if (person := people.person_called(text, country="KZ")) is not None:
        return person
    found = working().filter(email=text.strip().lower()).order_by("id").first() if "@" in text else None
    return found.user if found else None
