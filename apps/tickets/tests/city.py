"""A city to test maps and figures with: people, teams and tickets of any age, made without ceremony."""

from __future__ import annotations

import io
import itertools
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from PIL import Image, TiffImagePlugin

from apps.accounts.models import User
from apps.core import geo
from apps.tickets.actions import sessions
from apps.tickets.models import Category, District, Feedback, Member, Team, Ticket

Role = Member.Role
KADIKOY = (40.9819, 29.0216)
_numbers = itertools.count(1)


def member(role: str = Role.CITIZEN, team: Team | None = None, name: str = "Deniz") -> Member:
    number = next(_numbers)
    user = User.objects.create_user(username=f"city-{uuid4().hex[:12]}")
    return Member.objects.create(
        user=user,
        name=name,
        phone_number=f"+90555{number:07d}",
        role=role,
        team=team,
        is_verified=True,
        is_phone_proved=True,
    )


def team(name: str = "Team") -> Team:
    return Team.objects.create(name=f"{name} {next(_numbers)}")


def category(name: str = "", **more: Any) -> Category:
    return Category.objects.create(name=name or f"Category {next(_numbers)}", **more)


def district(name: str = "Kadıköy") -> District:
    return District.objects.get(name=name)


def ticket(
    at: tuple[float, float] = KADIKOY,
    *,
    of: Category | None = None,
    by: Member | None = None,
    days_ago: float = 0,
    resolved_after_hours: float | None = None,
    **more: Any,
) -> Ticket:
    """A row as it would be, of any age and in any status; no event tells of it."""
    found = draft(at, of=of, by=by, days_ago=days_ago, resolved_after_hours=resolved_after_hours, **more)
    found.save(force_insert=True)
    return found


def draft(
    at: tuple[float, float] = KADIKOY,
    *,
    of: Category | None = None,
    by: Member | None = None,
    days_ago: float = 0,
    resolved_after_hours: float | None = None,
    **more: Any,
) -> Ticket:
    """The same, not yet written."""
    created = timezone.now() - timedelta(days=days_ago, minutes=1)
    if resolved_after_hours is not None:
        more = {
            "status": Ticket.Status.RESOLVED,
            "resolved_at": created + timedelta(hours=resolved_after_hours),
            **more,
        }
    return Ticket(
        title=more.pop("title", "Broken lamp"),
        description="The lamp at the corner has been dark for a week",
        category=of or Category.objects.first() or category(),
        reporter=by or member(),
        latitude=at[0],
        longitude=at[1],
        h9=geo.cell(*at),
        city="Istanbul",
        created_at=created,
        updated_at=created,
        **more,
    )


def rated(of: Ticket, rating: int, *, days_ago: float = 0) -> Feedback:
    given = timezone.now() - timedelta(days=days_ago)
    return Feedback.objects.create(ticket=of, author=of.reporter, rating=rating, created_at=given)


def north_of(at: tuple[float, float], metres: float) -> tuple[float, float]:
    return at[0] + metres / 111_195.08, at[1]


class Phone:
    """A person, or nobody, in front of the API."""

    def __init__(self, member: Member | None = None, base: str = "/tickets") -> None:
        self.base = base
        self.client = Client()
        self.headers = {}
        if member is not None:
            self.headers = {"Authorization": f"Bearer {sessions.open_session(member).access}"}

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(f"{self.base}/api/v1/{path}", query, headers=self.headers)

    def send(self, method: str, path: str, body: Any = None) -> HttpResponse:
        raw = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, f"{self.base}/api/v1/{path}", raw, content_type="application/json", headers=self.headers
        )

    def upload(self, ticket: Ticket, file: Any, query: str = "", **form: str) -> HttpResponse:
        path = f"{self.base}/api/v1/tickets/{ticket.pk}/photos{query}"
        return self.client.post(path, {"file": file, **form}, headers=self.headers)


def picture(
    name: str = "lamp.jpg",
    *,
    kind: str = "JPEG",
    size: tuple[int, int] = (64, 48),
    gps: tuple[float, float] | None = None,
) -> SimpleUploadedFile:
    """A picture with a camera's name in it, and the place where `gps` says it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    if gps:
        north, east = (TiffImagePlugin.IFDRational(round(abs(side) * 3600 * 1000), 3_600_000) for side in gps)
        exif.get_ifd(0x8825).update({1: "N" if gps[0] >= 0 else "S", 2: (north, 0, 0), 3: "E" if gps[1] >= 0 else "W"})
        exif.get_ifd(0x8825)[4] = (east, 0, 0)
    out = io.BytesIO()
    Image.new("RGB", size, "gray").save(out, format=kind, exif=exif)
    return SimpleUploadedFile(name, out.getvalue())


def later(**more: float) -> datetime:
    return timezone.now() + timedelta(**more)
