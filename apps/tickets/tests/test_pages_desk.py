"""What the desk offers beside steps: claiming, handing over, asking for a decision, leafing through a long queue."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.testing import query_budget
from apps.tickets.actions import escalations, teams, tickets
from apps.tickets.models import Category, Escalation, Member, StatusLog, Team, Ticket
from apps.tickets.queries import queue
from apps.tickets.tests import cast, city
from apps.tickets.tests.test_pages import seated, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city_districts")]
DESK = "/desk/tickets/"
FREE = f"{DESK}free"
REASON = "We need a crane here"


def path(ticket: Ticket, deed: str) -> str:
    return f"{DESK}{ticket.pk}/{deed}"


def offered(by: Member, ticket: Ticket, where: str = DESK) -> set[str]:
    """The deeds that the page offers for a ticket."""
    page = text(seated(by).get(where))
    return {deed for deed in ("status", "claim", "hand-over", "ask", "merge") if f'"{path(ticket, deed)}"' in page}


def as_it_is() -> list[object]:
    """Everything that a refusal must leave alone."""
    rows = (Ticket.objects.order_by("pk"), StatusLog.objects.order_by("pk"), Escalation.objects.order_by("pk"))
    return [list(found.values()) for found in rows]


# What is offered ------------------------------------------------------------------------------------------------------
def test_each_gets_the_buttons_that_he_may_press(
    selin: Member, mehmet: Member, kadikoy_team: Team, lamp: Ticket, free_lamp: Ticket
) -> None:
    leader = cast.person("Leyla", Member.Role.MANAGER, kadikoy_team)
    assert offered(selin, lamp) == {"status", "hand-over", "ask"}
    assert offered(selin, free_lamp) == set()
    assert offered(selin, free_lamp, FREE) == {"claim"}
    assert offered(mehmet, lamp) == {"status", "hand-over", "merge"}
    assert offered(mehmet, free_lamp, FREE) == {"status", "hand-over", "merge"}
    assert offered(leader, lamp) == {"status", "hand-over", "ask", "merge"}


def test_one_request_is_enough(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason=REASON)
    assert "ask" not in offered(selin, lamp)
    escalations.decide(by=mehmet, escalation_id=asked.pk, verdict="REJECTED")
    assert "ask" in offered(selin, lamp)


def test_free_tickets_are_on_a_page_of_their_own(selin: Member, lamp: Ticket, free_lamp: Ticket) -> None:
    done = city.ticket(title="Done lamp", status=Ticket.Status.CLOSED)
    city.ticket(title="Gone lamp", deleted_at=timezone.now())
    assert [row["id"] for row in queue.page(by=selin, is_free=True).rows] == [free_lamp.pk]
    assert [row["id"] for row in queue.page(by=selin, is_free=True, status="CLOSED").rows] == [done.pk]
    assert [row["id"] for row in queue.page(by=selin).rows] == [lamp.pk]
    assert queue.page(by=city.member(Member.Role.SUPPORT), is_free=True).rows == []


@pytest.mark.parametrize("deed", ["claim", "hand-over", "ask"])
def test_strangers_are_led_to_the_sign_in(lamp: Ticket, deed: str) -> None:
    before = as_it_is()
    given = {"team": lamp.team_id, "reason": REASON}
    assert Client().post(path(lamp, deed), given)["Location"] == f"{DESK}sign-in"
    assert Client().get(FREE)["Location"] == f"{DESK}sign-in"
    assert as_it_is() == before


# Claiming -------------------------------------------------------------------------------------------------------------
def test_support_claims_a_free_ticket(selin: Member, kadikoy_team: Team, free_lamp: Ticket) -> None:
    browser = seated(selin)
    answer = browser.post(path(free_lamp, "claim"), follow=True)
    assert (answer.status_code, answer.redirect_chain) == (200, [(DESK, 302)])
    assert "Done" in text(answer) and free_lamp.title in text(answer)
    free_lamp.refresh_from_db()
    assert (free_lamp.team, free_lamp.assignee) == (kadikoy_team, selin)
    assert browser.get(path(free_lamp, "claim")).status_code == 405


def test_who_comes_second_is_told(selin: Member, sinan: Member, kadikoy_team: Team, free_lamp: Ticket) -> None:
    tickets.assign(by=selin, ticket_id=free_lamp.pk, team_id=kadikoy_team.pk)
    before = as_it_is()
    answer = seated(sinan).post(path(free_lamp, "claim"), follow=True)
    assert answer.redirect_chain == [(FREE, 302)]
    assert "Done" not in text(answer) and "Another team" in text(answer)
    assert as_it_is() == before


def test_who_is_in_no_team_claims_nothing(mehmet: Member, free_lamp: Ticket) -> None:
    before = as_it_is()
    for by in (mehmet, cast.person("Loner", Member.Role.SUPPORT)):
        assert seated(by).post(path(free_lamp, "claim")).status_code == 403
    assert as_it_is() == before


# Handing over ---------------------------------------------------------------------------------------------------------
def test_a_team_hands_its_ticket_over(selin: Member, sinan: Member, sisli_team: Team, lamp: Ticket) -> None:
    browser = seated(selin)
    page = text(browser.get(path(lamp, "hand-over")))
    assert f'value="{sisli_team.pk}"' in page and lamp.title in page
    answer = browser.post(path(lamp, "hand-over"), {"team": sisli_team.pk}, follow=True)
    assert answer.redirect_chain == [(DESK, 302)] and "Done" in text(answer)
    lamp.refresh_from_db()
    assert lamp.team == sisli_team
    assert offered(sinan, lamp) == {"status", "hand-over", "ask"}
    assert browser.post(path(lamp, "hand-over"), {"team": sisli_team.pk}).status_code == 404


def test_a_manager_gives_a_free_ticket_away(mehmet: Member, sisli_team: Team, free_lamp: Ticket) -> None:
    assert seated(mehmet).post(path(free_lamp, "hand-over"), {"team": sisli_team.pk}).status_code == 302
    free_lamp.refresh_from_db()
    assert free_lamp.team == sisli_team


@pytest.mark.parametrize("team", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_team_that_is_none_changes_nothing(selin: Member, lamp: Ticket, team: str) -> None:
    before = as_it_is()
    answer = seated(selin).post(path(lamp, "hand-over"), {"team": team})
    assert (answer.status_code, "errorlist" in text(answer)) == (422, True)
    assert as_it_is() == before


def test_other_teams_tickets_are_not_there(sinan: Member, selin: Member, sisli_team: Team, lamp: Ticket) -> None:
    before = as_it_is()
    gone = Ticket(pk=uuid4())
    for ticket in (lamp, gone):
        for deed, given in (("hand-over", {"team": sisli_team.pk}), ("ask", {"reason": REASON})):
            assert seated(sinan).get(path(ticket, deed)).status_code == 404
            assert seated(sinan).post(path(ticket, deed), given).status_code == 404
    assert as_it_is() == before


def test_a_team_that_was_deleted_meanwhile(
    selin: Member, mehmet: Member, sisli_team: Team, lamp: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal of the action stands at the form."""
    shown = queue.teams()
    teams.remove(by=mehmet, team_id=sisli_team.pk)
    monkeypatch.setattr(queue, "teams", lambda: shown)
    answer = seated(selin).post(path(lamp, "hand-over"), {"team": sisli_team.pk})
    assert (answer.status_code, "errorlist" in text(answer)) == (422, True)
    lamp.refresh_from_db()
    assert lamp.team == selin.team


# Asking for a decision ------------------------------------------------------------------------------------------------
def test_a_team_asks_the_managers(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    browser = seated(selin)
    assert 'name="reason"' in text(browser.get(path(lamp, "ask")))
    answer = browser.post(path(lamp, "ask"), {"reason": REASON}, follow=True)
    assert answer.redirect_chain == [(DESK, 302)] and "Done" in text(answer)
    asked = Escalation.objects.get()
    assert (asked.ticket, asked.requester, asked.reason, asked.status) == (lamp, selin, REASON, "PENDING")
    lamp.refresh_from_db()
    assert lamp.status == "ESCALATED"
    before = as_it_is()
    again = browser.post(path(lamp, "ask"), {"reason": REASON})
    assert (again.status_code, "errorlist" in text(again)) == (422, True)
    assert as_it_is() == before


@pytest.mark.parametrize("reason", ["", "too short", "x" * 2001])
def test_a_malformed_reason_changes_nothing(selin: Member, lamp: Ticket, reason: str) -> None:
    before = as_it_is()
    answer = seated(selin).post(path(lamp, "ask"), {"reason": reason})
    assert (answer.status_code, "errorlist" in text(answer)) == (422, True)
    assert as_it_is() == before


def test_a_manager_of_no_team_decides_and_does_not_ask(mehmet: Member, lamp: Ticket) -> None:
    before = as_it_is()
    answer = seated(mehmet).post(path(lamp, "ask"), {"reason": REASON})
    assert (answer.status_code, "errorlist" in text(answer)) == (422, True)
    assert as_it_is() == before


# Leafing --------------------------------------------------------------------------------------------------------------
def test_a_long_queue_has_pages(
    mehmet: Member, can: Member, lighting: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PER_PAGE", 2)
    made = [city.ticket(of=lighting, by=can, title=f"Lamp number {n}.", days_ago=9 - n) for n in range(5)]
    browser = seated(mehmet)
    shown = [text(browser.get(f"{DESK}?category={lighting.pk}&page={number}")) for number in (1, 2, 3, 4)]
    for number, ticket in enumerate(made):
        assert [ticket.title in page for page in shown] == [number // 2 == at for at in range(4)]
    links = [[f"page={number}&quot;" in page or f'page={number}"' in page for number in (1, 2, 3, 4)] for page in shown]
    assert links == [
        [False, True, False, False],
        [True, False, True, False],
        [False, True, False, False],
        [False, False, True, False],
    ]
    assert f'href="?category={lighting.pk}&amp;page=2"' in shown[0]
    with query_budget(1):
        assert queue.page(by=mehmet).has_more
