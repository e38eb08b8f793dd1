"""Reports through Open311 and the keys that allow them (contract integrations 11)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import CharField, Q
from django.db.models.functions import Cast
from django.utils import timezone

from apps.core import throttle
from apps.core.throttle import Limit
from apps.tickets import access, errors
from apps.tickets.actions import tickets
from apps.tickets.actions.tickets import Whereabouts
from apps.tickets.models import FINISHED, ApiKey, Category, Member, ServiceRequest, Ticket
from apps.tickets.queries import districts
from apps.tickets.queries import open311 as questions
from apps.tickets.queries.districts import Place

KEY_PREFIX = "o311_"
MINUTE = 60
LONGEST_TITLE = 100
PERSONAL = ("account_id", "device_id", "first_name", "last_name", "email", "phone")
"""What a sender tells of himself."""

SPENT = Cast("pk", CharField())
"""In place of a fingerprint: its report answers no other one any more, and nothing can be guessed from it."""


@dataclass(frozen=True)
class Report:
    """What a client sends; an empty text is absent."""

    service_code: str
    latitude: float | None = None
    longitude: float | None = None
    address_string: str = ""
    address_id: str = ""
    district: str = ""
    description: str = ""
    account_id: str = ""
    device_id: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    media_url: str = ""

    def fingerprint(self, day: str) -> str:
        """The same for the same report on the same day."""
        told = "\x1f".join(f"{name}={value}" for name, value in sorted(asdict(self).items()))
        return hashlib.sha256(f"{day}\x1f{told}".encode()).hexdigest()


def issue_key(*, by: Member | None, name: str, member: Member) -> tuple[ApiKey, str]:
    """A new key and its words, which are shown this once. Raises `ManagersOnly`, `KeyNameTaken`."""
    access.ensure_can("manage", by)
    words = KEY_PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            key = ApiKey.objects.create(name=name, key_hash=_hash(words), beginning=words[:8], member=member)
    except IntegrityError as problem:
        raise errors.KeyNameTaken() from problem
    return key, words


def revoke_key(*, by: Any, key_id: UUID) -> None:
    """The key is refused from now on; repeating changes nothing. Raises `ManagersOnly`."""
    access.ensure_can("manage", by)
    ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=timezone.now())


def prove_key(words: str) -> ApiKey:
    """The living key behind the words. Raises `KeyRefused`."""
    key = ApiKey.objects.select_related("member__user").filter(key_hash=_hash(words), revoked_at=None).first()
    if key is None or key.member.deleted_at or not key.member.is_active:
        raise errors.KeyRefused()
    return key


def report(*, key: ApiKey, report: Report) -> ServiceRequest:
    """A ticket in the name of the key's member. The same report on the same day answers the first one, unless that was

    deleted or solved meanwhile: then somebody tells us of it anew.

    Raises `TooManyReports`, `ServiceNotFound`, `PlaceUnknown`.
    """
    limit = Limit(settings.TICKETS.open311_per_minute, MINUTE)
    throttle.hit("tickets.open311", key.pk, limit, refusal=errors.TooManyReports)
    fingerprint = report.fingerprint(f"{timezone.now():%Y-%m-%d}")
    known = ServiceRequest.objects.filter(api_key=key, fingerprint=fingerprint)
    last = known.select_related("ticket__duplicate_of").first()
    if last and not _is_over(last.ticket):
        return last
    category = questions.open_service(report.service_code)
    where = _where(report)
    try:
        with transaction.atomic():
            if last:
                known.filter(pk=last.pk).update(fingerprint=SPENT)
            return _take_in(key, report, fingerprint, category, where)
    except IntegrityError as problem:
        # The same report came twice at the same moment: the other one's ticket is the answer, ours is rolled back.
        others = known.exclude(pk=last.pk) if last else known
        if found := others.first():
            return found
        raise errors.ServiceNotFound() from problem  # the category was deleted in this very moment


def _is_over(ticket: Ticket) -> bool:
    """Nobody works on it any more, nor on the ticket that stands for it."""
    return ticket.deleted_at is not None or (ticket.duplicate_of or ticket).status in FINISHED


def _take_in(key: ApiKey, report: Report, fingerprint: str, category: Category, where: Whereabouts) -> ServiceRequest:
    ticket = tickets.report(
        by=key.member,
        title=_title(report, category),
        description=report.description or category.name,
        category_id=category.pk,
        where=where,
    )
    told = {name: getattr(report, name) for name in (*PERSONAL, "address_id", "media_url")}
    return ServiceRequest.objects.create(ticket=ticket, api_key=key, fingerprint=fingerprint, **told)


def forget_senders(*, now: datetime | None = None) -> int:
    """What senders told of themselves goes after `conf`'s days, their tickets stay; returns how many were forgotten.

    Their fingerprints go too: who knows the rest of a report could try phones until one fits.
    """
    days = settings.TICKETS.open311_sender_days
    if not days:
        return 0
    nothing = dict.fromkeys(PERSONAL, "")
    old = ServiceRequest.objects.filter(~Q(**nothing), created_at__lt=(now or timezone.now()) - timedelta(days=days))
    return old.update(**nothing, fingerprint=SPENT)


def _title(report: Report, category: Category) -> str:
    """The first line of the description, else the service's name."""
    first = " ".join(report.description.strip().partition("\n")[0].split())
    return first[:LONGEST_TITLE] or category.name


def _where(report: Report) -> Whereabouts:
    """The point wins; without one the district must be known by its id or found in the address."""
    address = report.address_string[:500] or None
    if report.latitude is not None and report.longitude is not None:
        return Whereabouts(report.latitude, report.longitude, address=address)
    place = _district(report)
    if place is None:
        raise errors.PlaceUnknown()
    return Whereabouts(district_id=place.id, address=address, city=place.city)


def _district(report: Report) -> Place | None:
    for given in (report.address_id, report.district):
        try:
            if found := districts.find(UUID(given)):
                return found
        except ValueError:
            continue
    return districts.named_in(report.address_string)


def _hash(words: str) -> str:
    # A key has 256 random bits: a slow hash would protect nothing more.
    return hashlib.sha256(words.encode()).hexdigest()
