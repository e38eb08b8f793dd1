"""What Open311 clients are shown: services, their attributes, reports (contract integrations 11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from apps.tickets import errors
from apps.tickets.models import Category, Photo, ServiceRequest, SlaClock, StatusLog, Ticket
from apps.tickets.queries import districts, photos

LONGEST_SPAN = timedelta(days=90)
MOST = 1000
CLOSED = frozenset({Ticket.Status.RESOLVED, Ticket.Status.CLOSED})
DISTRICT = "district"
"""Code of the one attribute that we ask for."""


@dataclass(frozen=True)
class Asked:
    """Which reports; ids override everything else."""

    ids: tuple[UUID, ...] = ()
    service_codes: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    statuses: frozenset[str] = frozenset()


def services() -> list[dict[str, Any]]:
    """Open categories by name; one query."""
    return [_service(category) for category in Category.objects.filter(is_active=True).order_by("name", "pk")]


def _service(category: Category) -> dict[str, Any]:
    return {
        "service_code": str(category.pk),
        "service_name": category.name,
        "description": category.description or "",
        "metadata": True,
        "type": "realtime",
        "keywords": category.name.lower(),
        "group": "",
    }


def open_service(code: str) -> Category:
    """The open category behind a service code. Raises `ServiceNotFound`."""
    try:
        found = Category.objects.filter(pk=UUID(code), is_active=True).first()
    except ValueError:
        found = None
    if found is None:
        raise errors.ServiceNotFound()
    return found


def definition(service_code: str) -> dict[str, Any]:
    """The attributes of one service: the district, for reports without a point. Raises `ServiceNotFound`."""
    category = open_service(service_code)
    values = [{"key": str(place.id), "name": place.name} for place in districts.places()]
    attribute = {
        "variable": True,
        "code": DISTRICT,
        "datatype": "singlevaluelist",
        "required": False,
        "datatype_description": "",
        "order": 1,
        "description": "District, when lat and long are not known",
        "values": values,
    }
    return {"service_code": str(category.pk), "attributes": [attribute]}


def requests(asked: Asked) -> list[dict[str, Any]]:
    """Reports, newest first, at most 1,000; one query, one more for unknown service codes. Raises `ServiceNotFound`."""
    found = Ticket.objects.living()
    if asked.ids:
        return _shown(found.filter(pk__in=asked.ids))
    start, end = span(asked.start, asked.end)
    found = found.filter(created_at__gte=start, created_at__lte=end)
    if asked.service_codes:
        found = found.filter(category_id__in=_known(asked.service_codes))
    if asked.statuses == {"open"}:
        found = found.exclude(status__in=CLOSED)
    if asked.statuses == {"closed"}:
        found = found.filter(status__in=CLOSED)
    return _shown(found)


def span(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """Both ends: 90 days where one is missing, the last 90 days where both are."""
    if start and end:
        return start, end
    if start:
        return start, start + LONGEST_SPAN
    last = end or timezone.now()
    return last - LONGEST_SPAN, last


def one(ticket_id: UUID) -> list[dict[str, Any]]:
    """One report, in a list as the standard wants it. Raises `RequestNotFound`."""
    found = requests(Asked(ids=(ticket_id,)))
    if not found:
        raise errors.RequestNotFound()
    return found


def of_token(token: UUID) -> list[dict[str, Any]]:
    """The report behind a token. Raises `RequestNotFound`."""
    found = ServiceRequest.objects.filter(pk=token, ticket__deleted_at=None).first()
    if found is None:
        raise errors.RequestNotFound()
    return [{"service_request_id": str(found.ticket_id), "token": str(found.pk)}]


def _known(codes: Iterable[str]) -> list[UUID]:
    wanted = set(codes)
    known = {str(pk): pk for pk in Category.objects.values_list("pk", flat=True)}
    if not wanted <= known.keys():
        raise errors.ServiceNotFound()
    return [known[code] for code in wanted]


def _shown(found: QuerySet[Ticket]) -> list[dict[str, Any]]:
    of_ticket = {"ticket": OuterRef("pk")}
    due = SlaClock.objects.filter(**of_ticket, kind=SlaClock.Kind.RESOLUTION).order_by("-started_at", "-id")
    photo = Photo.objects.filter(**of_ticket, photo_type=Photo.Type.REPORT).order_by("slot")
    # What staff and managers write to each other about an escalation is not for everybody.
    is_inside = Q(old_status=Ticket.Status.ESCALATED) | Q(new_status=Ticket.Status.ESCALATED)
    said = Case(When(is_inside, then=None), default=F("comment"))
    log = StatusLog.objects.filter(**of_ticket).annotate(said=said).order_by("-created_at", "-id")
    rows = found.order_by("-created_at", "-pk").values(
        *("pk", "status", "description", "created_at", "updated_at", "resolved_at", "address", "latitude", "longitude"),
        *("category_id", "district_id"),
        service_name=F("category__name"),
        team_name=F("team__name"),
        due_at=Subquery(due.values("due_at")[:1]),
        photo=Subquery(photo.values("name")[:1]),
        note=Subquery(log.values("said")[:1]),
        elsewhere=F("service_request__media_url"),
    )
    return [_request(row) for row in rows[:MOST]]


def _request(row: dict[str, Any]) -> dict[str, Any]:
    is_closed = row["status"] in CLOSED
    changed = (row["resolved_at"] if is_closed else None) or row["updated_at"]
    return {
        "service_request_id": str(row["pk"]),
        "status": "closed" if is_closed else "open",
        "status_notes": row["note"],
        "service_name": row["service_name"],
        "service_code": str(row["category_id"]),
        "description": row["description"],
        "agency_responsible": row["team_name"],
        "service_notice": None,
        "requested_datetime": row["created_at"],
        "updated_datetime": changed,
        "expected_datetime": row["due_at"],
        "address": row["address"],
        "address_id": str(row["district_id"]) if row["district_id"] else None,
        "zipcode": None,
        "lat": row["latitude"],
        "long": row["longitude"],
        "media_url": photos.url(row["photo"]) if row["photo"] else row["elsewhere"] or None,
    }
