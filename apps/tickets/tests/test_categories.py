"""Categories (contract tickets 1.3, D12, D13)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from apps.core.testing import outcomes, query_budget, race
from apps.tickets.actions import categories, open311
from apps.tickets.models import Category, Member, Ticket
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller

pytestmark = pytest.mark.django_db


def test_everybody_reads_active_ones_by_name(lighting: Category) -> None:
    Category.objects.create(name="Closed", is_active=False)
    Category.objects.create(name="Benches", description="Broken ones")
    nobody = Caller()
    with query_budget(1):
        body = nobody.get("categories").json()
    assert [row["name"] for row in body["items"]] == ["Benches", "Lighting"]
    assert body["total"] == 2
    assert set(body["items"][0]) == {"id", "name", "description", "is_active", "created_at", "updated_at"}
    everything = nobody.get("categories", active_only="false").json()
    assert [row["name"] for row in everything["items"]] == ["Benches", "Closed", "Lighting"]


def test_one_category(lighting: Category) -> None:
    assert Caller().get(f"categories/{lighting.pk}").json()["name"] == "Lighting"
    assert Caller().get(f"categories/{uuid4()}").status_code == 404
    assert Caller().get("categories/x").status_code == 422


def test_a_manager_adds_and_changes(mehmet: Member) -> None:
    caller = Caller(mehmet)
    made = caller.post("categories", {"name": " Benches ", "description": "Broken ones"})
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["description"], made.json()["is_active"]) == (
        "Benches",
        "Broken ones",
        True,
    )
    path = f"categories/{made.json()['id']}"
    changed = caller.put(path, {"is_active": False, "description": None}).json()
    assert (changed["name"], changed["description"], changed["is_active"]) == ("Benches", None, False)


@pytest.mark.parametrize("name", ["lighting", "LIGHTING", " Lighting "])
def test_a_name_is_taken_once_letter_case_aside(mehmet: Member, lighting: Category, name: str) -> None:
    caller = Caller(mehmet)
    parks = caller.post("categories", {"name": "Parks"}).json()["id"]
    for answer in (caller.post("categories", {"name": name}), caller.put(f"categories/{parks}", {"name": name})):
        assert (answer.status_code, answer.json()["code"]) == (409, "category_name_taken")
    assert Category.objects.count() == 2


@pytest.mark.parametrize("body", [{"name": "a"}, {"name": "a" * 101}, {"name": "ok", "description": "d" * 501}, {}])
def test_malformed_categories_are_422(mehmet: Member, body: dict[str, Any]) -> None:
    assert Caller(mehmet).post("categories", body).status_code == 422
    assert not Category.objects.exists()


def test_null_where_a_value_is_needed_is_422(mehmet: Member, lighting: Category) -> None:
    assert Caller(mehmet).put(f"categories/{lighting.pk}", {"name": None}).status_code == 422
    assert Caller(mehmet).put(f"categories/{uuid4()}", {"name": "Other one"}).status_code == 404


def test_tickets_of_a_deleted_category_move_to_other(mehmet: Member, lamp: Ticket) -> None:
    """D13: deleted tickets too, or the row could not go."""
    gone = cast.report(lamp.reporter, lamp.category)
    Ticket.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    assert Caller(mehmet).delete(f"categories/{lamp.category_id}").status_code == 204
    lamp.refresh_from_db()
    assert (lamp.category.name, lamp.category.is_other) == ("Other", True)
    assert Ticket.objects.get(pk=gone.pk).category == lamp.category
    assert Caller(mehmet).delete(f"categories/{uuid4()}").status_code == 404


def test_other_stays_whatever_it_is_called(mehmet: Member) -> None:
    other = categories.other()
    assert Caller(mehmet).post("categories", {"name": "other"}).status_code == 409
    Caller(mehmet).put(f"categories/{other.pk}", {"name": "Rest"})
    answer = Caller(mehmet).delete(f"categories/{other.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "other_category_fixed")
    assert Category.objects.get() == other


def test_an_other_that_a_manager_made_is_used(mehmet: Member, lighting: Category) -> None:
    made = Caller(mehmet).post("categories", {"name": "OTHER"}).json()["id"]
    Caller(mehmet).delete(f"categories/{lighting.pk}")
    assert [str(row.pk) for row in Category.objects.all()] == [made]


def test_the_six_reference_categories_are_added_once(capsys: pytest.CaptureFixture[str]) -> None:
    Category.objects.create(name="parks")
    call_command("seed_categories")
    call_command("seed_categories")
    assert capsys.readouterr().out.split("\n")[:2] == ["5 categories added", "0 categories added"]
    names = set(Category.objects.values_list("name", flat=True))
    assert names == {"Infrastructure", "Traffic", "Lighting", "Waste Management", "parks", "Other"}
    assert all(Category.objects.exclude(name="parks").values_list("description", flat=True))


@pytest.mark.race
def test_one_name_at_once_is_added_once(mehmet: Member) -> None:
    kinds = outcomes(race(8, lambda _: categories.create(by=mehmet, name="Benches")))
    assert kinds == {"ok": 1, "CategoryNameTaken": 7}


@pytest.mark.race
def test_reporting_while_the_category_is_deleted_never_breaks(can: Member, mehmet: Member, lighting: Category) -> None:
    categories.other()

    def run(number: int) -> None:
        if number == 0:
            categories.remove(by=mehmet, category_id=lighting.pk)
        else:
            cast.report(can, lighting)

    kinds = outcomes(race(6, run))
    assert set(kinds) <= {"ok", "CategoryNotFound"}, kinds
    assert not Category.objects.filter(pk=lighting.pk).exists()
    assert Ticket.objects.count() == kinds["ok"] - 1


@pytest.mark.race
def test_reports_beside_the_deletion_are_taken_or_refused_and_nothing_worse(
    parks: Category, mehmet: Member, can: Member
) -> None:
    key = open311.prove_key(open311.issue_key(by=None, name="City app", member=can)[1])

    def run(number: int) -> None:
        if number == 0:
            categories.remove(by=mehmet, category_id=parks.pk)
        else:
            about = {"service_code": str(parks.pk), "description": f"Number {number}"}
            open311.report(key=key, report=open311.Report(**about, latitude=41.0, longitude=29.0))

    kinds = outcomes(race(6, run))
    assert set(kinds) <= {"ok", "ServiceNotFound", "CategoryNotFound"}, kinds
    assert not Ticket.objects.filter(category=parks.pk).exists()


def test_a_new_other_leaves_the_renamed_one_what_it_has(mehmet: Member) -> None:
    first = categories.create(by=mehmet, name="Other")
    categories.change(by=mehmet, category_id=first.pk, changes={"name": "The rest"})
    second = categories.create(by=mehmet, name="other")
    first.refresh_from_db()
    assert (first.is_other, second.is_other) == (True, False)
