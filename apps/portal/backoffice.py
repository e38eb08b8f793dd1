"""What the back office shows around its lists: the menu by rights, its badges, the search over the whole house."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from apps.accounts.models import User
from apps.core.models import OutboxMessage
from apps.florist import models as flowers
from apps.ledger.models import Account, Correction
from apps.loyalty.models import Client, IikoJob, IikoNotice
from apps.payments.models import Payment
from apps.shop import models as shop
from apps.tickets import models as tickets
from apps.urgent.models import Complaint, Member, Order

BADGE_CACHE_S = 30
FOUND_PER_KIND = 8
LARGEST_ID = 2**63 - 1


# The menu -------------------------------------------------------------------------------------------------------------


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of `config/unfold.py` with the rows that this person may open."""
    start = {"title": _("Start page"), "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [start]}]
    for group in settings.UNFOLD["MENU"]:
        items = [row for item in group["items"] if (row := _row(request, item))]
        if items:
            groups.append({"title": group["title"], "separator": True, "items": items})
    return groups


def _row(request: HttpRequest, item: dict[str, Any]) -> dict[str, Any] | None:
    app, model = item["model"].split(".")
    if not request.user.has_perm(item.get("right") or f"{app}.view_{model}"):  # type: ignore[union-attr]
        return None
    try:
        link = reverse(item.get("page") or f"admin:{app}_{model}_changelist")
    except NoReverseMatch:  # the table has no screen in this house
        return None
    row = {**item, "link": link}
    # Unfold would draw an empty badge: resolve it here, and leave it out when nothing waits.
    if (badge := row.pop("badge", "")) and (waiting := import_string(badge)(request)):
        row["badge"] = waiting
    return row


def environment(request: HttpRequest) -> list[str] | None:
    """A label beside the title wherever money and messages are not real."""
    return [_("laptop mode"), "warning"] if settings.EMBEDDED else None


# Badges: how much waits; the answer is remembered for half a minute ---------------------------------------------------


def _waiting(name: str, rows: Callable[[], QuerySet[Any]]) -> str:
    count = cache.get_or_set(f"portal:badge:{name}", lambda: rows().count(), BADGE_CACHE_S)
    return str(count) if count else ""


def open_complaints(request: HttpRequest) -> str:
    """Complaints that no moderator has decided."""
    return _waiting("complaints", lambda: Complaint.objects.filter(status=Complaint.Status.OPEN))


def waiting_escalations(request: HttpRequest) -> str:
    """Requests of teams that no manager has decided."""
    waiting = tickets.Escalation.objects.filter(status=tickets.Escalation.Status.PENDING, ticket__deleted_at=None)
    return _waiting("escalations", lambda: waiting)


def proposed_corrections(request: HttpRequest) -> str:
    """Corrections that wait for a second person."""
    return _waiting("corrections", lambda: Correction.objects.filter(status="proposed"))


def paused_iiko_jobs(request: HttpRequest) -> str:
    """Deeds at iiko that gave up."""
    return _waiting("iiko-jobs", lambda: IikoJob.objects.filter(state=IikoJob.State.PAUSED))


def parked_iiko_notices(request: HttpRequest) -> str:
    """Movements that iiko told us of guests whom we do not know."""
    return _waiting("iiko-notices", lambda: IikoNotice.objects.filter(state=IikoNotice.State.PARKED))


def orders_to_prepare(request: HttpRequest) -> str:
    """Paid orders of the shop that nobody has begun to pack."""
    return _waiting("shop-orders", lambda: shop.Order.objects.filter(status=shop.Order.Status.CONFIRMED))


def flower_orders_with_problems(request: HttpRequest) -> str:
    """Orders of flower shops that somebody could not go on with."""
    return _waiting("flowers", lambda: flowers.Order.objects.filter(status=flowers.Order.Status.ISSUE))


def payments_to_look_at(request: HttpRequest) -> str:
    """Payments about which something does not fit."""
    return _waiting("payments", lambda: Payment.objects.filter(needs_attention=True))


def dead_letters(request: HttpRequest) -> str:
    """Messages that could not be delivered."""
    return _waiting("dead-letters", lambda: OutboxMessage.objects.filter(dead_at__isnull=False))


# Search ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """One sort of thing that can be found: where, by which question, and what a hit says about itself."""

    model: type[Model]
    icon: str
    question: Callable[[str], Q]
    about: Callable[[Any], str]


def _person(words: str) -> Q:
    by_name = Q(first_name__istartswith=words) | Q(last_name__istartswith=words) | Q(username__istartswith=words)
    by_letters = by_name | Q(email__istartswith=words) | Q(telegram_username__istartswith=words.lstrip("@"))
    return by_letters | Q(telegram_id=_number(words)) | Q(phone=_phone(words))


def _member(words: str) -> Q:
    person = Q(user__first_name__istartswith=words) | Q(user__last_name__istartswith=words)
    return person | Q(pk=_number(words)) | Q(user__telegram_username__istartswith=words.lstrip("@"))


def _order(words: str) -> Q:
    return Q(pk__iexact=words) | Q(contact_normalized=_phone(words).lstrip("+")) | Q(client_id=_number(words))


def _customer(words: str) -> Q:
    by_name = Q(name__istartswith=words) | Q(surname__istartswith=words)
    return by_name | Q(phone_number=_phone(words)) | Q(pk=_number(words))


def _account(words: str) -> Q:
    person = Q(holder__first_name__istartswith=words) | Q(holder__last_name__istartswith=words)
    return person | Q(holder__telegram_id=_number(words)) | Q(name__istartswith=words, holder=None)


def _guest(words: str) -> Q:
    by_name = Q(name__istartswith=words) | Q(surname__istartswith=words)
    return by_name | Q(phone=_phone(words)) | Q(pk=_number(words))


def _flower_order(words: str) -> Q:
    return Q(pk=_number(words.lstrip("#"))) | Q(order_number=words) | Q(customer_phone=_phone(words))


KINDS: tuple[Kind, ...] = (
    Kind(User, "person", _person, lambda user: _("Person")),
    Kind(Order, "bolt", _order, lambda order: f"{_('Order')}, {order.get_status_display()}"),
    Kind(Member, "group", _member, lambda member: f"{_('Member')} {member.pk}"),
    Kind(Client, "savings", _guest, lambda guest: _("Guest of the restaurant")),
    Kind(
        shop.Order,
        "shopping_bag",
        lambda words: Q(pk=_number(words.lstrip("#"))),
        lambda order: f"{_('Order of the shop')}, {order.get_status_display()}",
    ),
    Kind(shop.Customer, "group", _customer, lambda customer: _("Customer of the shop")),
    Kind(
        flowers.Order,
        "local_florist",
        _flower_order,
        lambda order: f"{_('Order of a flower shop')}, {order.get_status_display()}",
    ),
    Kind(
        flowers.Shop,
        "storefront",
        lambda words: Q(name__istartswith=words) | Q(phone=_phone(words)) | Q(pk=_number(words)),
        lambda found: _("Flower shop"),
    ),
    Kind(Account, "account_balance_wallet", _account, lambda account: _("Account")),
)


def search(request: HttpRequest, words: str) -> list[SearchResult]:
    """Hits of the command palette among what this person may see: at most eight of each kind."""
    words = words.strip()
    if len(words) < 2 or "\x00" in words:
        return []
    return [hit for kind in KINDS for hit in _hits(request, kind, words)]


def _hits(request: HttpRequest, kind: Kind, words: str) -> list[SearchResult]:
    label, name = kind.model._meta.app_label, str(kind.model._meta.model_name)
    if not request.user.has_perm(f"{label}.view_{name}"):  # type: ignore[union-attr]
        return []
    rows = kind.model._default_manager.filter(kind.question(words)).order_by("-pk")
    if kind.model is not User and "user" in {field.name for field in kind.model._meta.fields}:
        rows = rows.select_related("user")
    return [
        SearchResult(
            title=str(row),
            description=kind.about(row),
            link=reverse(f"admin:{label}_{name}_change", args=[row.pk]),
            icon=kind.icon,
        )
        for row in rows[:FOUND_PER_KIND]
    ]


def _number(words: str) -> int:
    """The words as an id; -1, which nobody has, when they are none."""
    return int(words) if words.isascii() and words.isdigit() and int(words) <= LARGEST_ID else -1


def _phone(words: str) -> str:
    """The words as an E.164 phone, or something no row holds."""
    digits = re.sub(r"\D", "", words)
    return f"+{digits}" if 7 <= len(digits) <= 15 else "+"
