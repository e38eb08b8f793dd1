"""The back office: lists and pages open in a constant number of queries, every button is one action."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.core.models import StepLog
from apps.tickets import errors
from apps.tickets.actions import comments, escalations
from apps.tickets.models import Category, District, Member, SlaClock, SlaPolicy, Team, Ticket
from apps.tickets.tests import cast

pytestmark = pytest.mark.django_db
LISTS = ("ticket", "escalation", "feedback", "team", "member", "category", "slapolicy", "district", "apikey")
SCREENS = ("map", "heat", "board", "figures")


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    """The second factor has tests of its own."""
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


def at_work(*rights: str, **more: Any) -> Client:
    person = User.objects.create_user(username=f"clerk{User.objects.count()}", is_staff=True, **more)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="tickets", codename__in=rights))
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def desk(db: None) -> Client:
    """A superuser at work."""
    return at_work(is_superuser=True)


def url(model: str, deed: str, *args: Any) -> str:
    return reverse(f"admin:tickets_{model}_{deed}", args=args)


def page(client: Client, ticket: Ticket) -> str:
    answer = client.get(url("ticket", "change", ticket.pk))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("model", LISTS)
def test_every_list_opens(desk: Client, lamp: Ticket, selin: Member, model: str) -> None:
    assert desk.get(url(model, "changelist")).status_code == 200


@pytest.mark.parametrize("model", [name for name in LISTS if name != "slapolicy"])
@pytest.mark.parametrize("words", ["Kadıköy", "-x_", "'; --", "99999999999999999999999"])
def test_every_search_bears_anything(desk: Client, lamp: Ticket, model: str, words: str) -> None:
    assert desk.get(url(model, "changelist"), {"q": words}).status_code == 200


@pytest.mark.parametrize("name", SCREENS)
def test_every_screen_opens_for_whoever_may_look(lamp: Ticket, name: str) -> None:
    address = reverse(f"admin:tickets_{name}")
    assert at_work("view_ticket").get(address).status_code == 200
    assert at_work("view_team").get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_hexagons_for_the_heat_map(lamp: Ticket) -> None:
    address = reverse("admin:tickets_hexagons")
    sides = {"south": 40.5, "west": 28, "north": 41.5, "east": 30, "zoom": 11}
    assert at_work("view_ticket").get(address, sides).json()["total_tickets"] == 1
    assert at_work("view_ticket").get(address).status_code == 422
    assert at_work("view_team").get(address, sides).status_code == 403


@pytest.mark.parametrize("model", ["ticket", "team", "escalation"])
def test_lists_cost_the_same_whatever_their_length(
    desk: Client, lamp: Ticket, selin: Member, lighting: Category, model: str
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(url(model, "changelist")).status_code == 200
        return len(seen)

    escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane here")
    cost()
    few = cost()
    for number in range(4):
        citizen = cast.person(f"Citizen{number}")
        officer = cast.person(f"Officer{number}", cast.Role.SUPPORT, selin.team)
        cast.team(f"Another {number}")
        more = cast.report(citizen, lighting, title=f"Lamp {number}")
        escalations.request(by=officer, ticket_id=more.pk, reason="We need a crane here")
    assert cost() == few


def test_a_ticket_shows_what_happened_and_escapes_it(desk: Client, lamp: Ticket, selin: Member) -> None:
    comments.add(by=selin, ticket_id=lamp.pk, content="Bring <b>a ladder</b>", is_internal=True)
    shown = page(desk, lamp)
    assert "Bring &lt;b&gt;a ladder" in shown
    assert "<b>a ladder" not in shown
    assert 'data-lat="40.9819"' in shown


def test_a_step_is_one_click_and_one_action(lamp: Ticket) -> None:
    desk = at_work("view_ticket", "handle_ticket")
    assert 'value="IN_PROGRESS"' in page(desk, lamp)
    assert 'value="CLOSED"' not in page(desk, lamp)
    address = reverse("admin:tickets_ticket_step", args=[lamp.pk])
    assert desk.post(address, {"to": "IN_PROGRESS"}).status_code == 302
    lamp.refresh_from_db()
    assert (lamp.status, lamp.assignee) == ("IN_PROGRESS", None)
    assert StepLog.objects.get(object_id=str(lamp.pk)).by.startswith("accounts.user:")
    desk.post(address, {"to": "CLOSED"})
    lamp.refresh_from_db()
    assert lamp.status == "IN_PROGRESS"


def test_looking_is_not_handling(lamp: Ticket, sisli_team: Team) -> None:
    desk = at_work("view_ticket")
    before = Ticket.objects.values().get(pk=lamp.pk)
    assert desk.post(reverse("admin:tickets_ticket_step", args=[lamp.pk]), {"to": "IN_PROGRESS"}).status_code == 403
    assign = {"action": "assign_selected", "_selected_action": [str(lamp.pk)], "confirmed": "1", "team": sisli_team.pk}
    desk.post(url("ticket", "changelist"), assign)
    assert Ticket.objects.values().get(pk=lamp.pk) == before


def test_many_are_assigned_at_once(lamp: Ticket, free_lamp: Ticket, sisli_team: Team) -> None:
    desk = at_work("view_ticket", "handle_ticket")
    chosen = {"action": "assign_selected", "_selected_action": [str(lamp.pk), str(free_lamp.pk)]}
    asked = desk.post(url("ticket", "changelist"), chosen)
    assert asked.status_code == 200
    assert b"Sisli Lights" in asked.content
    assert (
        desk.post(url("ticket", "changelist"), {**chosen, "confirmed": "1", "team": sisli_team.pk}).status_code == 302
    )
    assert set(Ticket.objects.values_list("team", flat=True)) == {sisli_team.pk}


@pytest.mark.parametrize("answer", [{}, {"confirmed": "1"}])
def test_no_button_moves_more_than_a_request_can(
    lamp: Ticket, free_lamp: Ticket, sisli_team: Team, monkeypatch: pytest.MonkeyPatch, answer: dict[str, str]
) -> None:
    monkeypatch.setattr("apps.tickets.admin.tickets.MOST_AT_ONCE", 1)
    desk = at_work("view_ticket", "handle_ticket")
    everything = {"_selected_action": [str(lamp.pk)], "select_across": "1", **answer}
    for deed in (
        {"action": "assign_selected", "team": sisli_team.pk},
        {"action": "merge_selected", "original": lamp.pk},
    ):
        said = desk.post(url("ticket", "changelist"), {**everything, **deed, "reason": "All of them"}, follow=True)
        assert "at most 1 tickets" in said.content.decode()
    assert not Ticket.objects.filter(team=sisli_team).exists() and not Ticket.objects.filter(status="CLOSED").exists()


def test_duplicates_are_merged_from_the_list(zeynep: Member, lighting: Category, lamp: Ticket) -> None:
    twin = cast.report(zeynep, lighting, title="Dark lamp")
    desk = at_work("view_ticket", "handle_ticket")
    chosen = {"action": "merge_selected", "_selected_action": [str(lamp.pk), str(twin.pk)]}
    assert b"Dark lamp" in desk.post(url("ticket", "changelist"), chosen).content
    said = {"confirmed": "1", "original": lamp.pk, "reason": "Same corner"}
    assert desk.post(url("ticket", "changelist"), {**chosen, **said}).status_code == 302
    twin.refresh_from_db()
    assert (twin.status, twin.duplicate_of_id) == ("CLOSED", lamp.pk)
    assert "Dark lamp" in page(desk, lamp)


def test_one_ticket_is_merged_by_the_id_of_another(zeynep: Member, lighting: Category, lamp: Ticket) -> None:
    twin = cast.report(zeynep, lighting, title="Dark lamp")
    desk = at_work("view_ticket", "handle_ticket")
    address = reverse("admin:tickets_ticket_merge", args=[twin.pk])
    assert desk.get(address).status_code == 200
    desk.post(address, {"original": str(lamp.pk), "reason": "Same corner"})
    twin.refresh_from_db()
    assert twin.duplicate_of_id == lamp.pk


@pytest.mark.parametrize(("button", "verdict"), [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_a_request_is_decided_with_a_reason(lamp: Ticket, selin: Member, button: str, verdict: str) -> None:
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane here")
    address = reverse(f"admin:tickets_escalation_{button}", args=[asked.pk])
    stranger = at_work("view_escalation", "handle_ticket")
    assert stranger.post(address, {"reason": "Yes, go on"}).status_code == 403
    desk = at_work("view_escalation", "decide_escalation")
    desk.post(address, {"reason": "Yes, go on"})
    asked.refresh_from_db()
    lamp.refresh_from_db()
    assert (asked.status, asked.review_comment, asked.reviewer) == (verdict, "Yes, go on", None)
    assert lamp.status == "IN_PROGRESS"


def test_a_dissolved_team_leaves_its_tickets_to_others(desk: Client, lamp: Ticket, kadikoy_team: Team) -> None:
    desk.post(reverse("admin:tickets_team_dissolve", args=[kadikoy_team.pk]), {"reason": "Reorganised"})
    lamp.refresh_from_db()
    assert not Team.objects.filter(pk=kadikoy_team.pk).exists()
    assert lamp.team is None


CITY = ("view_team", "add_team", "change_team", "view_category", "add_category", "change_category")
PROMISES = ("view_slapolicy", "add_slapolicy", "change_slapolicy", "delete_slapolicy")


def test_a_team_is_written_by_its_actions(lighting: Category, city_districts: None) -> None:
    desk, fatih = at_work(*CITY, "manage_city"), District.objects.get(name="Fatih")
    form = {"name": "Fatih Lights", "description": "", "categories": [lighting.pk], "districts": [fatih.pk]}
    assert desk.post(url("team", "add"), form).status_code == 302
    made = Team.objects.get()
    assert (made.name, made.description, made.is_fallback) == ("Fatih Lights", None, False)
    assert (list(made.categories.all()), list(made.districts.all())) == ([lighting], [fatih])
    assert LogEntry.objects.get(object_id=str(made.pk)).is_addition()
    assert (
        desk.post(url("team", "change", made.pk), {**form, "name": "Night shift", "categories": []}).status_code == 302
    )
    made.refresh_from_db()
    assert (made.name, list(made.categories.all()), list(made.districts.all())) == ("Night shift", [], [fatih])
    assert made.updated_at > made.created_at
    assert LogEntry.objects.filter(object_id=str(made.pk)).count() == 2


def test_one_team_takes_what_nobody_covers(kadikoy_team: Team, sisli_team: Team) -> None:
    desk = at_work(*CITY, "manage_city")
    for team in (kadikoy_team, sisli_team, sisli_team):
        address = reverse("admin:tickets_team_make_fallback", args=[team.pk])
        assert address in desk.get(url("team", "change", team.pk)).content.decode()
        assert desk.get(address).status_code == 405
        assert desk.post(address).status_code == 302
        assert list(Team.objects.filter(is_fallback=True)) == [team]
    assert at_work(*CITY).post(address).status_code == 403


def test_a_category_is_written_by_its_actions(db: None) -> None:
    desk = at_work(*CITY, "manage_city")
    assert desk.post(url("category", "add"), {"name": "Other", "is_active": "on"}).status_code == 302
    other = Category.objects.get()
    assert (other.is_other, other.is_active, other.description) == (True, True, None)  # the form knows no `is_other`
    desk.post(url("category", "change", other.pk), {"name": "The rest", "description": "Whatever"})
    other.refresh_from_db()
    assert (other.name, other.description, other.is_active, other.is_other) == ("The rest", "Whatever", False, True)
    assert other.updated_at > other.created_at


def test_a_promise_is_written_by_its_actions(lighting: Category, lamp: Ticket) -> None:
    desk = at_work(*PROMISES, "manage_city")
    form = {"category": lighting.pk, "team": "", "first_response_minutes": 30, "resolution_minutes": 600}
    assert desk.post(url("slapolicy", "add"), form).status_code == 302
    made = SlaPolicy.objects.get()
    assert (made.category, made.team, made.first_response_minutes, made.resolution_minutes) == (lighting, None, 30, 600)
    before = list(SlaClock.objects.filter(ticket=lamp).order_by("pk").values())
    other = Category.objects.create(name="Traffic")
    changed = {"category": other.pk, "first_response_minutes": 45, "resolution_minutes": 600}
    assert desk.post(url("slapolicy", "change", made.pk), changed).status_code == 302
    made.refresh_from_db()
    assert (made.category, made.first_response_minutes, made.resolution_minutes) == (lighting, 45, 600)
    assert list(SlaClock.objects.filter(ticket=lamp).order_by("pk").values()) == before
    assert desk.post(url("slapolicy", "delete", made.pk), {"post": "yes"}).status_code == 302
    assert not SlaPolicy.objects.exists()


@pytest.mark.parametrize("model", ["team", "category", "slapolicy"])
def test_forms_of_the_city_are_for_whoever_manages_it(lighting: Category, kadikoy_team: Team, model: str) -> None:
    policy = SlaPolicy.objects.create(category=lighting, first_response_minutes=1, resolution_minutes=2)
    row = {"team": kadikoy_team, "category": lighting, "slapolicy": policy}[model]
    desk = at_work(*CITY, *PROMISES)
    rows = type(row)._default_manager.order_by("pk")
    before = list(rows.values())
    form = {
        "name": "Mine",
        "category": "",
        "team": kadikoy_team.pk,
        "first_response_minutes": 5,
        "resolution_minutes": 6,
    }
    assert desk.post(url(model, "add"), form).status_code == 403
    assert desk.post(url(model, "change", row.pk), form).status_code == 403
    assert desk.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert list(rows.values()) == before


def test_a_refused_form_changes_nothing_and_says_why(
    lamp: Ticket, lighting: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else was quicker than the form's own look."""
    desk, form = at_work(*PROMISES, "manage_city"), {"first_response_minutes": 30, "resolution_minutes": 600}
    SlaPolicy.objects.create(category=lighting, **form)
    monkeypatch.setattr(SlaPolicy, "validate_constraints", lambda self, exclude=None: None)
    answer = desk.post(url("slapolicy", "add"), {"category": lighting.pk, "team": "", **form}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [str(errors.PolicyExists().words)]
    assert SlaPolicy.objects.count() == 1


def test_a_member_gets_a_role_and_is_shut_out(can: Member, mehmet: Member, kadikoy_team: Team) -> None:
    desk = at_work("view_member", "manage_city")
    desk.post(reverse("admin:tickets_member_set_role", args=[can.pk]), {"role": "SUPPORT", "team": kadikoy_team.pk})
    desk.post(reverse("admin:tickets_member_shut_out", args=[can.pk]), {"reason": "Left the city"})
    can.refresh_from_db()
    assert (can.role, can.team, can.is_active) == ("SUPPORT", kadikoy_team, False)
    desk.post(reverse("admin:tickets_member_shut_out", args=[mehmet.pk]), {"reason": "The last manager"})
    mehmet.refresh_from_db()
    assert mehmet.is_active


def test_the_board_holds_the_team_s_work(desk: Client, lamp: Ticket, free_lamp: Ticket, kadikoy_team: Team) -> None:
    shown = desk.get(reverse("admin:tickets_board"), {"team": str(kadikoy_team.pk)}).context["columns"]
    assert [(column.status, column.count) for column in shown][0] == ("NEW", 1)
    assert shown[0].cards == [lamp]
    free = desk.get(reverse("admin:tickets_board")).context["columns"]
    assert free[0].cards == [free_lamp]


def test_nobody_edits_tickets_and_districts(desk: Client, lamp: Ticket) -> None:
    for model in ("ticket", "district", "member", "escalation"):
        assert desk.get(url(model, "add")).status_code == 403


def test_the_start_page_tells_what_waits(desk: Client, lamp: Ticket, selin: Member) -> None:
    escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane here")
    shown = desk.get(reverse("admin:index")).context["tickets"]
    assert [figure.value for figure in shown["figures"]] == ["1", "0", "0", "1"]
    assert [row["title"] for row in shown["shares"][0][1]] == ["Lighting"]
