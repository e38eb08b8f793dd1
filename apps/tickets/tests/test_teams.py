"""Teams and who is in them (contract tickets 1.3, D12, D18, D19)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.testing import assert_refused, outcomes, query_budget, race
from apps.tickets import errors
from apps.tickets.actions import teams
from apps.tickets.models import Category, District, Member, Team, Ticket
from apps.tickets.tests import cast, city
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def test_a_team_is_made_with_what_it_covers(mehmet: Member, lighting: Category, city_districts: None) -> None:
    district = District.objects.get(name="Fatih")
    body = {"name": " Fatih Lights ", "category_ids": [str(lighting.pk)], "district_ids": [str(district.pk)]}
    answer = Caller(mehmet).post("teams", body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["description"], made["district_ids"]) == ("Fatih Lights", None, [str(district.pk)])
    assert (made["member_count"], made["active_ticket_count"], made["is_fallback"]) == (0, 0, False)
    whole = Caller(mehmet).get(f"teams/{made['id']}").json()
    assert whole["categories"] == [
        {"team_id": made["id"], "category_id": str(lighting.pk), "category_name": "Lighting"}
    ]
    assert whole["districts"] == [
        {"team_id": made["id"], "district_id": str(district.pk), "district_name": "Fatih", "city": "Istanbul"}
    ]
    assert whole["members"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "ab"}, 422),
        ({"name": "n" * 101}, 422),
        ({"description": "d" * 501}, 422),
        ({"name": "kadikoy LIGHTS"}, 409),
        ({"category_ids": [str(uuid4())]}, 404),
        ({"district_ids": [str(uuid4())]}, 404),
        ({"category_ids": ["x"]}, 422),
    ],
)
def test_a_refused_team_leaves_nothing(mehmet: Member, kadikoy_team: Team, change: dict[str, Any], status: int) -> None:
    """Unknown ids are 404 (the original: 500)."""
    assert Caller(mehmet).post("teams", {"name": "Another one", **change}).status_code == status
    assert Team.objects.count() == 1


def test_the_list_counts_living_members_and_unfinished_tickets(
    mehmet: Member, selin: Member, sisli_team: Team, lamp: Ticket
) -> None:
    gone = cast.person("Gone", cast.Role.SUPPORT, selin.team)
    Member.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    cast.in_status(city.ticket(team=selin.team), "CLOSED")
    cast.in_status(city.ticket(team=selin.team), "ESCALATED")
    caller = Caller(mehmet)
    with query_budget(5):
        body = caller.get("teams").json()
    rows = [(row["name"], row["member_count"], row["active_ticket_count"]) for row in body["items"]]
    assert rows == [("Kadikoy Lights", 1, 2), ("Sisli Lights", 0, 0)]
    assert (body["total"], body["page"], body["page_size"]) == (2, 1, 20)


def test_a_page_of_many_teams_costs_as_much_as_one_of_few(mehmet: Member) -> None:
    for number in range(30):
        cast.team(f"Team {number:02}")
    caller = Caller(mehmet)
    with query_budget(5):
        assert len(caller.get("teams", page_size=100).json()["items"]) == 30


def test_name_and_description_are_changed(mehmet: Member, kadikoy_team: Team, sisli_team: Team) -> None:
    caller, path = Caller(mehmet), f"teams/{kadikoy_team.pk}"
    assert caller.put(path, {"description": "Lamps"}).json()["description"] == "Lamps"
    assert caller.put(path, {"name": "Sisli lights"}).status_code == 409
    assert caller.put(path, {"name": None}).status_code == 422
    assert caller.put(f"teams/{uuid4()}", {"name": "Whatever"}).status_code == 404
    kadikoy_team.refresh_from_db()
    assert (kadikoy_team.name, kadikoy_team.description) == ("Kadikoy Lights", "Lamps")


# Members --------------------------------------------------------------------------------------------------------------
def test_somebody_is_put_into_a_team_and_moved(
    mehmet: Member, can: Member, kadikoy_team: Team, sisli_team: Team
) -> None:
    caller = Caller(mehmet)
    for team in (kadikoy_team, sisli_team, sisli_team):
        answer = caller.post(f"teams/{team.pk}/members/{can.pk}")
        assert answer.status_code == 200
        assert answer.json()["members"] == [
            {
                "id": str(can.pk),
                "name": "Can",
                "email": can.email,
                "phone_number": can.phone_number,
                "role": "CITIZEN",
            }
        ]
    assert caller.get(f"teams/{kadikoy_team.pk}").json()["members"] == []
    assert caller.post(f"teams/{uuid4()}/members/{can.pk}").status_code == 404
    assert caller.post(f"teams/{sisli_team.pk}/members/{uuid4()}").status_code == 404


def test_somebody_is_taken_out_once(mehmet: Member, selin: Member, sisli_team: Team) -> None:
    caller, path = Caller(mehmet), f"teams/{selin.team_id}/members/{selin.pk}"
    assert caller.delete(f"teams/{sisli_team.pk}/members/{selin.pk}").status_code == 404
    assert caller.delete(path).status_code == 204
    assert caller.delete(path).status_code == 404
    selin.refresh_from_db()
    assert selin.team is None


def test_people_without_a_team_are_a_bare_list_of_all_roles(mehmet: Member, can: Member, selin: Member) -> None:
    shut = cast.person("Shut")
    Member.objects.filter(pk=shut.pk).update(is_active=False)
    body = Caller(mehmet).get("teams/unassigned/members").json()
    assert body == [
        {"id": str(can.pk), "name": "Can", "phone_number": can.phone_number, "role": "CITIZEN"},
        {"id": str(mehmet.pk), "name": "Mehmet", "phone_number": mehmet.phone_number, "role": "MANAGER"},
    ]


# Deleting -------------------------------------------------------------------------------------------------------------
def test_tickets_of_a_deleted_team_find_new_ones(
    mehmet: Member, selin: Member, sisli_team: Team, lamp: Ticket, parks: Category
) -> None:
    Ticket.objects.filter(pk=lamp.pk).update(assignee=selin)
    other = city.ticket(of=parks, team=selin.team)
    assert Caller(mehmet).delete(f"teams/{selin.team_id}").status_code == 204
    lamp.refresh_from_db()
    other.refresh_from_db()
    selin.refresh_from_db()
    assert (lamp.team, lamp.assignee, other.team, selin.team) == (sisli_team, None, None, None)
    assert Caller(mehmet).delete(f"teams/{uuid4()}").status_code == 404


def test_deleting_a_team_with_many_tickets_takes_a_few_statements(
    mehmet: Member, kadikoy_team: Team, lighting: Category, city_districts: None
) -> None:
    """In every district of the city: a place costs no statement of its own."""
    fallback = cast.team("General", is_fallback=True)
    tickets = [city.ticket(of=lighting, by=mehmet, team=kadikoy_team) for _ in range(40)]
    for ticket, district in zip(tickets, District.objects.order_by("name"), strict=False):
        Ticket.objects.filter(pk=ticket.pk).update(district=district)
    with query_budget(16):
        teams.remove(by=mehmet, team_id=kadikoy_team.pk)
    assert Ticket.objects.filter(team=fallback).count() == 40


def test_the_fallback_team_stays(mehmet: Member) -> None:
    fallback = cast.team("Whatever its name", is_fallback=True)
    answer = Caller(mehmet).delete(f"teams/{fallback.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "fallback_team_fixed")
    assert Team.objects.filter(pk=fallback.pk).exists()


@pytest.mark.race
def test_one_name_at_once_is_taken_once(mehmet: Member) -> None:
    kinds = outcomes(race(6, lambda _: teams.create(by=mehmet, name="Lights")))
    assert kinds == {"ok": 1, "TeamNameTaken": 5}


@pytest.mark.race
def test_reporting_while_the_team_is_deleted_never_breaks(can: Member, mehmet: Member, lamp: Ticket) -> None:
    def run(number: int) -> None:
        if number == 0:
            teams.remove(by=mehmet, team_id=lamp.team_id)  # type: ignore[arg-type]
        else:
            cast.report(can, lamp.category)

    assert outcomes(race(6, run)) == {"ok": 6}
    assert Ticket.objects.count() == 6
    assert not Ticket.objects.exclude(team=None).exists()


def test_what_a_team_covers_is_changed_in_one_go(kadikoy_team: Team, parks: Category, mehmet: Member) -> None:
    fatih = District.objects.get(name="Fatih")
    teams.change(by=mehmet, team_id=kadikoy_team.pk, changes={"category_ids": [parks.pk], "district_ids": [fatih.pk]})
    assert (list(kadikoy_team.categories.all()), list(kadikoy_team.districts.all())) == ([parks], [fatih])
    for changes, refusal in (
        ({"name": "Gone", "category_ids": [fatih.pk]}, errors.CategoryNotFound),
        ({"name": "Gone", "category_ids": [], "district_ids": [parks.pk]}, errors.DistrictNotFound),
    ):
        assert_refused(
            refusal,
            lambda changes=changes: teams.change(by=mehmet, team_id=kadikoy_team.pk, changes=changes),  # type: ignore[misc]
            unchanged=[Team.objects.all(), kadikoy_team.categories.all(), kadikoy_team.districts.all()],
        )


def test_who_takes_what_nobody_covers(kadikoy_team: Team, can: Member, selin: Member, mehmet: Member) -> None:
    for by in (can, selin):
        assert_refused(errors.ManagersOnly, lambda by=by: teams.make_fallback(by=by, team_id=kadikoy_team.pk))
    assert_refused(errors.TeamNotFound, lambda: teams.make_fallback(by=mehmet, team_id=can.pk))
    assert not Team.objects.filter(is_fallback=True).exists()
    assert teams.make_fallback(by=mehmet, team_id=kadikoy_team.pk).is_fallback


def test_figures_forget_a_team_at_once(
    mehmet: Member, kadikoy_team: Team, sisli_team: Team, lamp: Ticket, django_capture_on_commit_callbacks: Any
) -> None:
    caller = Caller(mehmet)
    assert len(caller.get("analytics/teams").json()["items"]) == 2
    with django_capture_on_commit_callbacks(execute=True):
        teams.remove(by=mehmet, team_id=kadikoy_team.pk)
    assert [row["team_name"] for row in caller.get("analytics/teams").json()["items"]] == ["Sisli Lights"]


@pytest.mark.race
def test_of_four_teams_made_the_fallback_at_once_one_is_it(mehmet: Member, city_districts: None) -> None:
    known = [cast.team(f"Team {number}") for number in range(4)]
    results = race(4, lambda number: teams.make_fallback(by=mehmet, team_id=known[number].pk))
    assert outcomes(results) == {"ok": 4}
    assert Team.objects.filter(is_fallback=True).count() == 1


@pytest.mark.race
def test_two_teams_that_would_take_each_others_tickets_are_deleted_at_once(
    mehmet: Member, can: Member, lighting: Category, city_districts: None
) -> None:
    pair = [cast.team(f"Lights {number}", [lighting], ["Kadıköy"]) for number in range(2)]
    last = cast.team("The rest", is_fallback=True)
    made = [cast.report(can, lighting) for _ in range(6)]
    assert {ticket.team_id for ticket in made} == {team.pk for team in pair}
    results = race(2, lambda number: teams.remove(by=mehmet, team_id=pair[number].pk))
    assert outcomes(results) == {"ok": 2}
    assert set(Ticket.objects.values_list("team", flat=True)) == {last.pk}
