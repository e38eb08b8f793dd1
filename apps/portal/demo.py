"""The sample staff of a laptop: who they are, and how to notice them where they do not belong."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PASSWORD = "mahalla-demo"  # noqa: S105 - published on purpose; a production start refuses whoever still has it
ADMIN = "admin"

STAFF: dict[str, tuple[str | Promise, tuple[str, ...]]] = {
    ADMIN: (_("everything (superuser)"), ()),
    "moderator": (_("moderates reviews and complaints"), ("Urgent moderator",)),
    "support": (_("helps clients and executors, refunds"), ("Urgent support",)),
    "shopkeeper": (_("fills the shop, packs orders, refunds"), ("Shop catalogue", "Shop manager")),
    "dispatcher": (_("moves, assigns and merges the city's tickets"), ("City officer",)),
    "citymanager": (_("keeps the city's teams and promises, decides escalations"), ("City manager",)),
    "restaurateur": (_("looks after guests, cashback and staff of the restaurants"), ("Restaurant manager",)),
    "cashier": (_("adds and takes cashback at the till"), ("Restaurant cashier",)),
    "editor": (_("writes the restaurants' news and menu"), ("Restaurant editor",)),
    "flowers": (_("helps flower shops, checks their stock"), ("Flower support",)),
    "finance": (_("reads the books, proposes corrections"), ("Finance",)),
    "auditor": (_("reads everything, changes nothing"), ("Auditor",)),
    "operator": (_("looks after the outbox"), ("Operator",)),
}
"""Sample user name → what this person does, and the roles that let them."""


def is_in_place() -> bool:
    """Whether the sample superuser exists (cheap; says nothing about the password)."""
    return get_user_model().objects.filter(username=ADMIN, is_superuser=True).exists()


def people_with_the_demo_password() -> list[str]:
    """User names that open with the published password: the sample ones and every superuser are tried."""
    staff = get_user_model().objects.filter(Q(username__in=STAFF) | Q(is_superuser=True), is_active=True)
    return sorted(str(person.username) for person in staff if person.check_password(PASSWORD))
