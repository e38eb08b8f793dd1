"""Reporting an issue: where it is, which team gets it (contract tickets 1.4 row 1, 3 routing, C9, D6)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.core import geo
from apps.core.errors import Invalid
from apps.core.testing import assert_refused, query_budget
from apps.tickets.actions import tickets
from apps.tickets.actions.tickets import Whereabouts
from apps.tickets.models import Category, District, Follow, Member, StatusLog, Team, Ticket
from apps.tickets.tests import cast, city
from apps.tickets.tests.cast import KADIKOY, Caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city_districts")]
POINT = {"latitude": KADIKOY[0], "longitude": KADIKOY[1]}
WORDS = {"title": "  Broken   lamp ", "description": "The lamp at the corner has been dark for a week"}
NOWHERE = (39.9, 32.8)
"""Ankara: in none of our districts."""


def post(by: Member, category: Category, location: Any, **more: Any) -> Any:
    body = {**WORDS, "category_id": str(category.pk), "location": location, **more}
    return Caller(by).post("tickets/", body)


def district_id(name: str) -> str:
    return str(District.objects.get(name=name).pk)


def test_a_ticket_begins_new_routed_logged_and_followed(can: Member, lighting: Category, kadikoy_team: Team) -> None:
    answer = post(can, lighting, {**POINT, "address": "Moda Caddesi 1"})
    assert answer.status_code == 201
    body = answer.json()
    location = body.pop("location")
    expected = {
        "title": "Broken lamp",
        "description": WORDS["description"],
        "status": "NEW",
        "resolved_at": None,
        "category_id": str(lighting.pk),
        "category_name": "Lighting",
        "reporter_id": str(can.pk),
        "reporter_name": "Can",
        "assignee_id": None,
        "team_id": str(kadikoy_team.pk),
        "team_name": "Kadikoy Lights",
        "photo_count": 0,
        "comment_count": 0,
        "follower_count": 1,
    }
    assert {name: body[name] for name in expected} == expected
    assert set(body) == {*expected, "id", "created_at", "updated_at", "possible_duplicates"}
    assert location == {
        **POINT,
        "id": body["id"],
        "address": "Moda Caddesi 1",
        "district": "Kadıköy",
        "city": "Istanbul",
    }
    line = StatusLog.objects.get()
    assert (line.old_status, line.new_status, line.changed_by) == (None, "NEW", can)
    assert Follow.objects.get().member == can
    assert Ticket.objects.get().h9 == geo.cell(*KADIKOY)


def test_a_point_wins_and_the_district_only_routes(
    can: Member, lighting: Category, kadikoy_team: Team, sisli_team: Team
) -> None:
    """C9: the map picker sends both; the point is not moved to the city's centre."""
    body = post(can, lighting, {**POINT, "district_id": district_id("Şişli")}).json()
    assert (body["location"]["latitude"], body["location"]["longitude"]) == KADIKOY
    assert (body["location"]["district"], body["team_name"]) == ("Şişli", "Sisli Lights")


def test_a_district_alone_stands_for_its_centre(can: Member, lighting: Category, sisli_team: Team) -> None:
    location = post(can, lighting, {"district_id": district_id("Şişli")}).json()["location"]
    assert (location["latitude"], location["longitude"], location["district"]) == (41.0602, 28.9874, "Şişli")


def test_far_away_there_is_no_district(can: Member, lighting: Category) -> None:
    location = post(can, lighting, {"latitude": NOWHERE[0], "longitude": NOWHERE[1], "city": "Ankara"}).json()[
        "location"
    ]
    assert (location["district"], location["city"]) == (None, "Ankara")


@pytest.mark.parametrize(
    "location",
    [
        {},
        {"latitude": 41.0},
        {"longitude": 29.0},
        {"latitude": 41.0, "district_id": "d"},
        {"latitude": 91, "longitude": 29},
        {"latitude": "NaN", "longitude": 29},
        {"district_id": "not-a-uuid"},
        {"latitude": 41, "longitude": 29, "address": "a" * 501},
        {"latitude": 41, "longitude": 29, "city": "c" * 101},
        None,
        "here",
    ],
)
def test_a_place_that_is_no_place_is_422(can: Member, lighting: Category, location: Any) -> None:
    """D6: half a point or none was a 500."""
    answer = post(can, lighting, location)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", "location"]
    assert not Ticket.objects.exists()


def test_the_action_refuses_half_a_point_too(can: Member, lighting: Category, lamp: Ticket) -> None:
    for where in (Whereabouts(), Whereabouts(latitude=41.0), Whereabouts(41.0, None, lamp.district_id)):
        assert_refused(
            Invalid,
            lambda where=where: tickets.report(  # type: ignore[misc]
                by=can, title="Title", description="Description", category_id=lighting.pk, where=where
            ),
            unchanged=[Ticket.objects.all()],
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " a  b "}, "title"),
        ({"title": "    a    "}, "title"),
        ({"title": "t" * 201}, "title"),
        ({"description": "too short"}, "description"),
        ({"description": "   short    "}, "description"),
        ({"description": "d" * 5001}, "description"),
        ({"category_id": "x"}, "category_id"),
    ],
)
def test_malformed_words_are_422(can: Member, lighting: Category, change: dict[str, str], field: str) -> None:
    """D20: padding does not count."""
    answer = post(can, lighting, POINT, **change)
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["detail"]] == [["body", field]]
    assert not Ticket.objects.exists()


def test_missing_and_closed_categories_and_districts_are_404(can: Member, lighting: Category) -> None:
    assert post(can, lighting, POINT, category_id=str(uuid4())).json()["code"] == "category_not_found"
    assert post(can, lighting, {"district_id": str(uuid4())}).json()["code"] == "district_not_found"
    Category.objects.update(is_active=False)
    assert post(can, lighting, POINT).status_code == 404
    assert not Ticket.objects.exists()


def test_nobody_reports_without_signing_in(lighting: Category) -> None:
    assert Caller().post("tickets/", {}).status_code == 401


# Routing --------------------------------------------------------------------------------------------------------------
def routed(by: Member, category: Category, **where: Any) -> str | None:
    team = cast.report(by, category, **where).team
    return team.name if team else None


def test_category_and_district_come_first(can: Member, lighting: Category) -> None:
    cast.team("Aaa City Lights", [lighting], ["Şişli"])
    cast.team("Zzz Kadikoy Lights", [lighting], ["Kadıköy"])
    assert routed(can, lighting) == "Zzz Kadikoy Lights"


def test_then_category_and_any_district_of_the_city(can: Member, lighting: Category) -> None:
    cast.team("Aaa Nowhere Lights", [lighting])
    cast.team("Zzz Sisli Lights", [lighting], ["Şişli"])
    assert routed(can, lighting) == "Zzz Sisli Lights"
    assert routed(can, lighting, at=NOWHERE, city="Ankara") == "Aaa Nowhere Lights"


def test_then_the_category_alone_and_then_the_fallback(can: Member, lighting: Category, parks: Category) -> None:
    assert routed(can, parks) is None
    cast.team("Lights", [lighting])
    cast.team("General", is_fallback=True)
    assert routed(can, lighting) == "Lights"
    assert routed(can, parks) == "General"


def test_the_fallback_never_competes_even_when_it_covers_everything(can: Member, lighting: Category) -> None:
    cast.team("Aaa General", [lighting], ["Kadıköy"], is_fallback=True)
    cast.team("Zzz Lights", [lighting])
    assert routed(can, lighting) == "Zzz Lights"


def test_among_equals_the_one_with_less_to_do_and_then_by_name(can: Member, lighting: Category) -> None:
    busy = cast.team("Aaa Lights", [lighting], ["Kadıköy"])
    calm = cast.team("Bbb Lights", [lighting], ["Kadıköy"])
    assert routed(can, lighting) == "Aaa Lights"
    assert routed(can, lighting) == "Bbb Lights"
    assert routed(can, lighting) == "Aaa Lights"
    cast.in_status(city.ticket(team=calm), "CLOSED")  # finished work does not weigh
    assert routed(can, lighting) == "Bbb Lights"
    Ticket.objects.filter(team=busy).update(deleted_at=city.later())  # nor does a deleted ticket
    assert routed(can, lighting) == "Aaa Lights"


def test_reporting_costs_a_constant_number_of_queries(can: Member, lighting: Category, kadikoy_team: Team) -> None:
    for number in range(20):
        cast.team(f"Team {number}", [lighting], ["Kadıköy", "Şişli"])
    cast.report(can, lighting)
    with query_budget(12):
        cast.report(can, lighting)
