"""The standing people: citizens Can and stranger Zeynep, support Selin and Sinan of two teams, manager Mehmet."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import HttpResponse

from apps.accounts.models import User
from apps.core.testing import deliver
from apps.integrations.ports import port
from apps.notifications.models import Notification
from apps.tickets.actions import tickets
from apps.tickets.actions.tickets import Whereabouts
from apps.tickets.models import Category, District, Member, Team, Ticket
from apps.tickets.tests import city
from apps.tickets.tests.city import Phone

PASSWORD = "Parola-123!"
NEW_PASSWORD = "Another-456?"
KADIKOY = city.KADIKOY
Role = Member.Role


def person(name: str, role: str = Role.CITIZEN, team: Team | None = None, *, email: str = "", **more: Any) -> Member:
    """A verified member with an e-mail, and a password that is `PASSWORD` unless told otherwise."""
    found = city.member(role, team, name)
    user = found.user
    user.language = "en"
    user.set_password(more.pop("password", PASSWORD))
    user.save()
    found.email = email or f"{name.lower()}@example.com"
    for field, value in more.items():
        setattr(found, field, value)
    found.save()
    return found


def team(name: str, categories: list[Category] = (), districts: list[str] = (), **more: Any) -> Team:  # type: ignore[assignment]
    """A team and what it covers."""
    found = Team.objects.create(name=name, **more)
    found.categories.set(categories)
    found.districts.set(District.objects.filter(name__in=districts))
    return found


def report(by: Member, category: Category, *, at: tuple[float, float] | None = KADIKOY, **more: Any) -> Ticket:
    """A ticket as citizens make it."""
    point = {"latitude": at[0], "longitude": at[1]} if at else {}
    return tickets.report(
        by=by,
        title=more.pop("title", "Broken lamp"),
        description="The lamp at the corner has been dark for a week",
        category_id=category.pk,
        where=Whereabouts(**point, **more),
    )


def in_status(ticket: Ticket, status: str, **more: Any) -> Ticket:
    """The same ticket, put there without ceremony."""
    Ticket.objects.filter(pk=ticket.pk).update(status=status, **more)
    ticket.refresh_from_db()
    return ticket


class Caller(Phone):
    """A client of the API; answers know their JSON."""

    def __init__(self, member: Member | None = None, *, base: str = "/tickets", token: str = "") -> None:
        super().__init__(member, base)
        if token:
            self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        answer: HttpResponse = self.client.generic(
            method,
            f"{self.base}/api/v1/{path}",
            raw,
            content_type="application/json",
            headers={**self.headers, **headers},
        )
        return answer

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any) -> HttpResponse:
        return self("PUT", path, body)

    def patch(self, path: str, body: Any = None) -> HttpResponse:
        return self("PATCH", path, body)

    def delete(self, path: str) -> HttpResponse:
        return self("DELETE", path)


def code_for(phone: str) -> str:
    """The code in the last text message to a phone."""
    text = next(sent.text for sent in reversed(port("sms").sent) if sent.to == phone)
    return re.search(r"\b\d{6}\b", text)[0]  # type: ignore[index]


def link_for(email: str) -> str:
    """The token in the last letter to an address."""
    deliver()
    text = next(sent.text for sent in reversed(port("mail").sent) if sent.to == email)
    return re.search(r"token=([\w-]+)", text)[1]  # type: ignore[index]


def told(member: Member) -> list[str]:
    """Kinds of everything in a member's inbox, oldest first, after the outbox has moved."""
    deliver()
    rows = Notification.objects.of(member.user_id, "tickets").listed().order_by("id")
    return list(rows.values_list("kind", flat=True))


def texts_to(member: Member) -> list[str]:
    """Text messages to a member, oldest first, after the outbox has moved."""
    deliver()
    return [sent.text for sent in port("sms").sent if sent.to == member.phone_number]


def user_of(phone: str) -> User:
    """The person of the living member with this phone."""
    return Member.objects.living().get(phone_number=phone).user
