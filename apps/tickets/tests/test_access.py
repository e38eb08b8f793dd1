"""Role × deed, as data; and every path with nobody's and a stranger's token (contract tickets 3, C14, C15)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern

from apps.tickets import access
from apps.tickets.access import MATRIX, Deed
from apps.tickets.api.urls import urlpatterns
from apps.tickets.models import Member, Team, Ticket
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db

SITUATIONS = ("own", "own begun", "own closed", "of my team", "of another team", "of no team")
ALWAYS = set(SITUATIONS)
OWN = {"own", "own begun", "own closed"}
NOT_CLOSED = ALWAYS - {"own closed"}
TEAM = {"of my team"}
CLAIM = {"of my team", "of no team"}
NEVER: set[str] = set()

EXPECTED: dict[Deed, tuple[set[str], set[str], set[str]]] = {
    "read": (ALWAYS, ALWAYS, ALWAYS),
    "follow": (ALWAYS, ALWAYS, ALWAYS),
    "comment": (ALWAYS, ALWAYS, ALWAYS),
    "comment internally": (NEVER, ALWAYS, ALWAYS),
    "list all": (NEVER, ALWAYS, ALWAYS),
    "edit": ({"own"}, NOT_CLOSED, NOT_CLOSED),
    "delete": ({"own"}, {"own"}, {"own"}),
    "change status": (NEVER, TEAM, ALWAYS),
    "assign": (NEVER, CLAIM, ALWAYS),
    "upload a report": (OWN, OWN, OWN),
    "upload a proof": (NEVER, TEAM, ALWAYS),
    "give feedback": (OWN, OWN, OWN),
    "escalate": (NEVER, TEAM, TEAM),
    "see an escalation": (NEVER, TEAM, ALWAYS),
    "decide an escalation": (NEVER, NEVER, ALWAYS),
    "see the dashboard": (NEVER, ALWAYS, ALWAYS),
    "merge": (NEVER, NEVER, ALWAYS),
    "manage": (NEVER, NEVER, ALWAYS),
}
"""The contract's matrix (citizen, support, manager), written down a second time on purpose."""


def situation(name: str, by: Member, other_team: Team) -> Ticket:
    """A ticket as it stands to `by`; never saved."""
    reporter_id = by.pk if name.startswith("own") else uuid4()
    status = {"own begun": "IN_PROGRESS", "own closed": "CLOSED"}.get(name, "NEW")
    team_id = {"of my team": by.team_id, "of no team": None}.get(name, other_team.pk)
    return Ticket(reporter_id=reporter_id, status=status, team_id=team_id)


def test_every_deed_is_walked() -> None:
    assert set(EXPECTED) == set(MATRIX)


@pytest.mark.parametrize(("deed", "role"), list(product(EXPECTED, range(3))))
def test_the_matrix(deed: Deed, role: int, kadikoy_team: Team, sisli_team: Team) -> None:
    by = cast.person("Somebody", cast.Role.values[role], kadikoy_team)
    allowed = {name for name in SITUATIONS if access.can(deed, by, situation(name, by, sisli_team))}
    assert allowed == EXPECTED[deed][role]


def test_without_a_team_no_ticket_is_of_my_team(sisli_team: Team) -> None:
    loner = cast.person("Loner", cast.Role.SUPPORT)
    for deed, name in product(("change status", "assign", "escalate", "upload a proof"), SITUATIONS):
        assert not access.can(deed, loner, situation(name, loner, sisli_team)), (deed, name)  # type: ignore[arg-type]


# Paths ----------------------------------------------------------------------------------------------------------------
OPEN = {
    *("auth/request-otp", "auth/verify-otp", "auth/register", "auth/login", "auth/staff/login", "auth/refresh"),
    *("auth/verify-email", "auth/resend-verification", "auth/set-password", "auth/forgot-password"),
    *("auth/reset-password",),
    *("GET districts", "GET districts/areas", "GET districts/at", "GET categories", "GET categories/<>"),
}
"""What needs no sign-in (contract tickets 1.2, 1.3)."""

MANAGERS_ONLY = {
    *("users", "users/<>/role", "DELETE users/<>", "teams", "teams/<>", "teams/<>/members/<>"),
    *("teams/unassigned/members", "POST categories", "PUT categories/<>", "DELETE categories/<>"),
    *("escalations/<>/approve", "escalations/<>/reject"),
    *("analytics/teams", "analytics/teams/<>/members", "analytics/categories", "analytics/neighborhoods"),
    *("analytics/feedback-trends", "analytics/feedback/trends", "analytics/quarterly-report", "analytics/sla"),
    *("analytics/export/<>", "sla/policies", "sla/policies/<>"),
}
STAFF_ONLY = {
    *("GET tickets/", "tickets/assigned", "tickets/<>/status", "tickets/<>/assign"),
    *("escalations", "escalations/<>"),
    *("analytics/dashboard", "analytics/heatmap", "analytics/heatmap/hexagons", "sla/late"),
}


def operations() -> Iterator[tuple[str, str]]:
    """(method, path without prefix) of every path of the product; files and Open311 are for everybody."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        route = str(pattern.pattern)
        view = getattr(pattern.callback, "view_class", None) or pattern.callback.cls
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(view, method) and route.startswith("api/v1/") and "/files/" not in route:
                yield method.upper(), re.sub(r"<[^>]+>", "<>", route.removeprefix("api/v1/"))


OPERATIONS = list(operations())


def listed(method: str, path: str, among: set[str]) -> bool:
    return path in among or f"{method} {path}" in among


def call(caller: Caller, method: str, path: str) -> Any:
    return caller(method, path.replace("<>", str(uuid4())), {} if method in ("POST", "PUT", "PATCH") else None)


def test_the_lists_name_existing_paths() -> None:
    known = {path for _, path in OPERATIONS} | {f"{method} {path}" for method, path in OPERATIONS}
    assert known >= (MANAGERS_ONLY | STAFF_ONLY)
    assert len(OPERATIONS) >= 60


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nobody_is_401_everywhere_else(method: str, path: str) -> None:
    answer = call(Caller(), method, path)
    if listed(method, path, OPEN):
        assert answer.status_code != 401 or path == "auth/refresh"
    else:
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if listed(*one, MANAGERS_ONLY | STAFF_ONLY)])
def test_a_citizen_is_403_before_anything_is_looked_at(can: Member, method: str, path: str) -> None:
    assert call(Caller(can), method, path).status_code == 403


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if listed(*one, MANAGERS_ONLY)])
def test_support_is_403_where_managers_decide(selin: Member, method: str, path: str) -> None:
    assert call(Caller(selin), method, path).status_code == 403


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if "<>" in one[1]])
def test_a_malformed_id_is_422(mehmet: Member, method: str, path: str) -> None:
    answer = Caller(mehmet)(method, path.replace("<>", "not-a-uuid"), {} if method != "GET" else None)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "path"


def test_unknown_paths_are_404_and_known_ones_with_another_method_405() -> None:
    """C15."""
    assert Caller().get("nowhere").status_code == 404
    answer = Caller().delete("auth/login")
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")
