"""The pages without JavaScript, their pieces for htmx, and what strangers may not (contract tickets C6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.core.testing import query_budget
from apps.tickets.actions import comments, escalations, photos, tickets
from apps.tickets.models import Category, Member, SlaClock, Team, Ticket
from apps.tickets.queries import public, queue
from apps.tickets.tests import cast, city
from apps.tickets.tests.city import KADIKOY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city_districts")]
HTMX = {"HX-Request": "true"}
ENGLISH = {"Accept-Language": "en"}


def get(path: str, browser: Client | None = None, **headers: str) -> HttpResponse:
    return (browser or Client()).get(path, headers={**ENGLISH, **headers})


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def seated(member: Member) -> Client:
    """A browser in which the member has signed in at the desk."""
    browser = Client(headers=ENGLISH)
    answer = browser.post("/desk/tickets/sign-in", {"email": member.email, "password": cast.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/desk/tickets/")
    return browser


# The city -------------------------------------------------------------------------------------------------------------


def test_the_map_lists_the_newest_without_javascript(lamp: Ticket) -> None:
    Ticket.objects.filter(pk=lamp.pk).update(title="<script>alert(1)</script>")
    city.ticket(title="Gone", deleted_at=timezone.now())
    page = text(get("/city/"))
    assert f'href="/city/tickets/{lamp.pk}"' in page
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page
    assert "Gone" not in page
    assert 'id="map"' in page and "<noscript>" in page


def test_htmx_gets_the_list_alone_and_filters(lighting: Category, parks: Category) -> None:
    city.ticket(of=lighting, title="Dark lamp")
    city.ticket(of=parks, title="Fallen tree", status=Ticket.Status.CLOSED)
    found = text(get(f"/city/?category={parks.pk}", **HTMX))
    assert "Fallen tree" in found and "Dark lamp" not in found and "<html" not in found
    assert "Dark lamp" in text(get("/city/?status=NEW", **HTMX))
    assert "Nothing has been reported here." in text(get("/city/?status=ESCALATED", **HTMX))


@pytest.mark.parametrize("query", ["category=nonsense", "status=OPEN", "page=0", "page=x", "page=9999", "category=%00"])
def test_nonsense_in_the_address_is_nothing(lamp: Ticket, query: str) -> None:
    answer = get(f"/city/?{query}")
    assert answer.status_code == 200
    assert lamp.title in text(answer)


def test_pages_of_the_list(lighting: Category) -> None:
    reporter = city.member()
    for number in range(21):
        city.ticket(of=lighting, by=reporter, title=f"Lamp number {number}.", days_ago=number)
    first, second = text(get("/city/?status=NEW")), text(get("/city/?status=NEW&page=2"))
    assert "Lamp number 19." in first and "Lamp number 20." not in first
    assert 'href="?status=NEW&amp;page=2"' in first
    assert "Lamp number 20." in second and 'href="?status=NEW&amp;page=1"' in second


def test_markers_of_a_part_of_the_map(lamp: Ticket) -> None:
    sides = f"south={KADIKOY[0] - 0.1}&north={KADIKOY[0] + 0.1}&west={KADIKOY[1] - 0.1}&east={KADIKOY[1] + 0.1}"
    answer = get(f"/city/markers?{sides}")
    assert [row["id"] for row in answer.json()["items"]] == [str(lamp.pk)]
    assert set(answer.json()["items"][0]) == {
        *("id", "title", "status", "category_name", "latitude", "longitude", "created_at"),
    }
    assert get(f"/city/markers?{sides}&status=CLOSED").json() == {"items": []}
    for bad in ("", "south=1", sides.replace("north=", "north=x"), "south=2&north=1&west=1&east=2"):
        assert get(f"/city/markers?{bad}").status_code == 422


def test_markers_of_one_category(lighting: Category, parks: Category) -> None:
    """On both databases: SQLite keeps ids as 32 letters."""
    lamp, tree = city.ticket(of=lighting), city.ticket(of=parks)
    sides = f"south={KADIKOY[0] - 0.1}&north={KADIKOY[0] + 0.1}&west={KADIKOY[1] - 0.1}&east={KADIKOY[1] + 0.1}"

    def shown(query: str) -> set[str]:
        return {row["id"] for row in get(f"/city/markers?{sides}&{query}").json()["items"]}

    assert shown(f"category={lighting.pk}") == {str(lamp.pk)}
    assert shown(f"category={parks.pk}&status=NEW") == {str(tree.pk)}
    assert shown("category=nonsense") == {str(lamp.pk), str(tree.pk)}


def test_strangers_ask_the_map_only_so_often(lamp: Ticket) -> None:
    """D19: as often as they may read through Open311, whatever they ask; the next address is another stranger."""
    path = "/city/markers?south=40.9&north=41&west=29&east=29.1"
    with time_machine.travel(timezone.now().replace(second=1), tick=False):
        for _ in range(120):
            assert get("/city/markers?south=1").status_code == 422
        answer = get(path)
        other = Client(REMOTE_ADDR="198.51.100.7").get(path)
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
    assert (other.status_code, len(other.json()["items"])) == (200, 1)


def test_neighbouring_wide_windows_are_one_question(lamp: Ticket, can: Member, lighting: Category) -> None:
    """D19: walking all living tickets once answers many; other filters are another answer."""

    def shown(shift: float, **more: Any) -> list[str]:
        sides = {"south": 40.7 + shift, "north": 41.3 + shift, "west": 28.6 + shift, "east": 29.4 + shift}
        return [row["id"] for row in Client().get("/city/markers", {**sides, **more}).json()["items"]]

    with CaptureQueriesContext(connection) as asked:
        assert [shown(shift) for shift in (0, 0.001, 0.002, 0.01)] == [[str(lamp.pk)]] * 4
    assert sum("BETWEEN" in query["sql"] for query in asked) == 1
    assert shown(0, status="CLOSED") == []


@pytest.mark.django_db(transaction=True)
def test_a_new_report_is_on_the_wide_map_at_once(can: Member, lighting: Category) -> None:
    sides = {"south": 40.7, "north": 41.3, "west": 28.6, "east": 29.4}
    assert Client().get("/city/markers", sides).json() == {"items": []}
    lamp = cast.report(can, lighting)
    assert [row["id"] for row in Client().get("/city/markers", sides).json()["items"]] == [str(lamp.pk)]


def test_a_ticket_without_its_people(lamp: Ticket, can: Member, zeynep: Member, selin: Member) -> None:
    photo = photos.add(by=can, ticket_id=lamp.pk, file=city.picture(gps=KADIKOY))
    comments.add(by=zeynep, ticket_id=lamp.pk, content="Here <b>too</b>")
    comments.add(by=selin, ticket_id=lamp.pk, content="Secret remark", is_internal=True)
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS", comment="New bulb ordered")
    page = text(get(f"/city/tickets/{lamp.pk}"))
    for shown in (
        lamp.title,
        lamp.description,
        "In Progress",
        "New bulb ordered",
        "Here &lt;b&gt;too",
        "Kadikoy Lights",
    ):
        assert shown in page
    assert f'src="/tickets/api/v1/files/{photo.thumbnail_name}"' in page
    for hidden in ("Secret remark", can.name, zeynep.name, selin.name, can.phone_number, "can@example.com"):
        assert f">{hidden}<" not in page and f" {hidden} " not in page


def test_a_ticket_that_is_not_there() -> None:
    gone = city.ticket(deleted_at=timezone.now())
    assert get(f"/city/tickets/{gone.pk}").status_code == 404
    assert get(f"/city/tickets/{uuid4()}").status_code == 404
    assert get("/city/tickets/nonsense").status_code == 404


@pytest.mark.parametrize("path", ["/city/", "/city/markers", "/desk/tickets/", "/desk/tickets/heat"])
def test_reading_pages_take_no_posts(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_public_pages_cost_few_queries(lamp: Ticket, can: Member, lighting: Category) -> None:
    for number in range(5):
        ticket = cast.report(can, lighting)
        comments.add(by=can, ticket_id=ticket.pk, content=f"Comment {number}")
    with query_budget(1):
        assert len(public.page().rows) == 6
    with query_budget(4):
        public.ticket(lamp.pk)


# The desk -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/desk/tickets/", "/desk/tickets/heat", "/desk/tickets/heat.json"])
def test_strangers_are_led_to_the_sign_in(path: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/desk/tickets/sign-in")


def test_a_stranger_moves_nothing(lamp: Ticket) -> None:
    answer = Client().post(f"/desk/tickets/{lamp.pk}/status", {"status": "IN_PROGRESS"})
    assert (answer.status_code, answer["Location"]) == (302, "/desk/tickets/sign-in")
    lamp.refresh_from_db()
    assert lamp.status == "NEW"


@pytest.mark.parametrize(
    ("email", "password"),
    [("mehmet@example.com", "Wrong-123!"), ("nobody@example.com", cast.PASSWORD), ("can@example.com", cast.PASSWORD)],
)
def test_who_may_not_sit_down(mehmet: Member, can: Member, email: str, password: str) -> None:
    browser = Client(headers=ENGLISH)
    answer = browser.post("/desk/tickets/sign-in", {"email": email, "password": password})
    assert answer.status_code == 422
    assert "errorlist" in text(answer) and password not in text(answer)
    assert browser.get("/desk/tickets/").status_code == 302


def test_a_form_without_its_token_is_refused(mehmet: Member) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/desk/tickets/sign-in", {"email": mehmet.email, "password": cast.PASSWORD})
    assert answer.status_code == 403


def test_sitting_here_opens_nothing_of_the_back_office(mehmet: Member) -> None:
    mehmet.user.is_staff = mehmet.user.is_superuser = True
    mehmet.user.save()
    answer = seated(mehmet).get("/admin/")
    assert answer.status_code == 302 and "/admin/login/" in answer["Location"]


def test_the_session_ends_with_the_password_the_role_and_the_sign_out(selin: Member, mehmet: Member) -> None:
    browser = seated(selin)
    assert browser.get("/desk/tickets/").status_code == 200
    selin.user.set_password(cast.NEW_PASSWORD)
    selin.user.save()
    assert browser.get("/desk/tickets/").status_code == 302
    browser = seated(mehmet)
    Member.objects.filter(pk=mehmet.pk).update(role=Member.Role.CITIZEN)
    assert browser.get("/desk/tickets/").status_code == 302
    Member.objects.filter(pk=mehmet.pk).update(role=Member.Role.MANAGER)
    assert browser.get("/desk/tickets/").status_code == 200
    assert browser.post("/desk/tickets/sign-out").status_code == 302
    assert browser.get("/desk/tickets/").status_code == 302


def test_the_session_ends_with_a_sign_out_everywhere(selin: Member) -> None:
    browser = seated(selin)
    accounts.log_out_everywhere(user=selin.user)
    assert browser.get("/desk/tickets/").status_code == 302
    assert seated(selin).get("/desk/tickets/").status_code == 200


def test_the_queue_is_the_teams_and_the_oldest_promise_comes_first(
    lamp: Ticket, free_lamp: Ticket, can: Member, lighting: Category, selin: Member, mehmet: Member, sinan: Member
) -> None:
    late = cast.report(can, lighting, title="Late lamp")
    done = cast.in_status(cast.report(can, lighting, title="Done lamp"), "CLOSED")
    SlaClock.objects.filter(ticket=late).update(due_at=timezone.now() - timedelta(hours=1))
    assert [row["id"] for row in queue.page(by=selin).rows] == [late.pk, lamp.pk]
    assert {row["id"] for row in queue.page(by=mehmet).rows} == {late.pk, lamp.pk, free_lamp.pk}
    assert queue.page(by=sinan).rows == []
    assert [row["id"] for row in queue.page(by=selin, status="CLOSED").rows] == [done.pk]
    page = text(seated(selin).get("/desk/tickets/"))
    assert page.index("Late lamp") < page.index(lamp.title)
    assert page.count("Late since") == 1 and "Done lamp" not in page
    assert 'data-lat="40.9819"' in page


def test_support_without_a_team_has_nothing_to_do(lamp: Ticket) -> None:
    assert queue.page(by=city.member(Member.Role.SUPPORT)).rows == []


def test_the_queue_is_one_query(lamp: Ticket, can: Member, lighting: Category, mehmet: Member) -> None:
    for _ in range(4):
        cast.report(can, lighting)
    with query_budget(1):
        assert len(queue.page(by=mehmet).rows) == 5


def test_a_step_without_javascript(lamp: Ticket, selin: Member) -> None:
    browser = seated(selin)
    answer = browser.post(
        f"/desk/tickets/{lamp.pk}/status", {"status": "IN_PROGRESS", "comment": "On my way"}, follow=True
    )
    assert answer.status_code == 200 and "Done" in text(answer)
    lamp.refresh_from_db()
    assert (lamp.status, lamp.assignee) == ("IN_PROGRESS", selin)
    assert lamp.status_logs.order_by("-created_at").first().comment == "On my way"  # type: ignore[union-attr]


def test_a_step_with_htmx_swaps_its_row(lamp: Ticket, selin: Member) -> None:
    browser = seated(selin)
    row = text(browser.post(f"/desk/tickets/{lamp.pk}/status", {"status": "IN_PROGRESS"}, headers=HTMX))
    assert f'id="job-{lamp.pk}"' in row and "In Progress" in row and "<html" not in row
    assert 'value="RESOLVED"' in row and 'value="IN_PROGRESS"' not in row


@pytest.mark.parametrize("step", ["CLOSED", "NEW", "NONSENSE"])
def test_a_step_that_may_not_follow_changes_nothing(lamp: Ticket, selin: Member, step: str) -> None:
    row = text(seated(selin).post(f"/desk/tickets/{lamp.pk}/status", {"status": step}, headers=HTMX))
    assert 'role="alert"' in row
    lamp.refresh_from_db()
    assert (lamp.status, lamp.status_logs.count()) == ("NEW", 1)


def test_another_teams_ticket_is_not_shown_and_not_moved(lamp: Ticket, sinan: Member) -> None:
    row = text(seated(sinan).post(f"/desk/tickets/{lamp.pk}/status", {"status": "IN_PROGRESS"}, headers=HTMX))
    assert 'role="alert"' in row and lamp.title not in row
    lamp.refresh_from_db()
    assert lamp.status == "NEW"


# Merging --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def twin(zeynep: Member, lighting: Category, kadikoy_team: Team) -> Ticket:
    """Zeynep's report of Can's lamp."""
    return cast.report(zeynep, lighting, title="Dark lamp")


def test_a_manager_merges_without_javascript(mehmet: Member, lamp: Ticket, twin: Ticket) -> None:
    browser, path = seated(mehmet), f"/desk/tickets/{twin.pk}/merge"
    assert f'href="{path}"' in text(browser.get("/desk/tickets/"))
    page = text(browser.get(path))
    assert f'value="{lamp.pk}"' in page and f'value="{twin.pk}"' not in page
    answer = browser.post(path, {"original": lamp.pk, "reason": "Same corner"}, follow=True)
    assert answer.status_code == 200 and "Done" in text(answer)
    twin.refresh_from_db()
    assert (twin.status, twin.duplicate_of) == ("CLOSED", lamp)
    assert twin.status_logs.get(new_status="CLOSED").changed_by == mehmet
    street = text(get(f"/city/tickets/{twin.pk}"))
    assert f'href="/city/tickets/{lamp.pk}"' in street and "Same corner" not in street
    assert f'href="/city/tickets/{twin.pk}"' not in text(get(f"/city/tickets/{lamp.pk}"))


def test_a_far_ticket_is_named_by_its_id(mehmet: Member, twin: Ticket) -> None:
    far = city.ticket((41.1, 28.9))
    browser, path = seated(mehmet), f"/desk/tickets/{twin.pk}/merge"
    assert str(far.pk) not in text(browser.get(path))
    assert browser.post(path, {"other": far.pk, "reason": "Same lorry"}).status_code == 302
    twin.refresh_from_db()
    assert twin.duplicate_of == far


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reason": "Same corner"}, "Choose the ticket that stays"),
        ({"original": "lamp"}, "This field is required"),
        ({"original": "lamp", "reason": "x"}, "at least 3 characters"),
        ({"other": "nonsense", "reason": "Same corner"}, "Enter a valid UUID"),
        ({"original": "nonsense", "reason": "Same corner"}, "Select a valid choice"),
        ({"other": "twin", "reason": "Same corner"}, "cannot be merged into itself"),
        ({"other": "gone", "reason": "Same corner"}, "There is no such ticket"),
    ],
)
def test_a_merge_that_cannot_be_changes_nothing(
    mehmet: Member, lamp: Ticket, twin: Ticket, given: dict[str, str], words: str
) -> None:
    named = {"lamp": lamp.pk, "twin": twin.pk, "gone": city.ticket(deleted_at=timezone.now()).pk}
    answer = seated(mehmet).post(
        f"/desk/tickets/{twin.pk}/merge", {field: named.get(value, value) for field, value in given.items()}
    )
    assert (answer.status_code, words in text(answer)) == (422, True), text(answer)
    twin.refresh_from_db()
    assert (twin.status, twin.duplicate_of, twin.status_logs.count()) == ("NEW", None, 1)


def test_merging_is_for_managers(selin: Member, mehmet: Member, lamp: Ticket, twin: Ticket) -> None:
    path, given = f"/desk/tickets/{twin.pk}/merge", {"original": lamp.pk, "reason": "Same corner"}
    assert path not in text(seated(selin).get("/desk/tickets/"))
    assert (seated(selin).get(path).status_code, seated(selin).post(path, given).status_code) == (403, 403)
    assert Client().post(path, given)["Location"] == "/desk/tickets/sign-in"
    twin.refresh_from_db()
    assert twin.duplicate_of is None
    assert seated(mehmet).get(f"/desk/tickets/{uuid4()}/merge").status_code == 404


def test_the_heat_in_words_and_hexagons(lamp: Ticket, kadikoy_team: Team, mehmet: Member) -> None:
    city.ticket(district=city.district("Fatih"), days_ago=20)
    browser = seated(mehmet)
    page = text(browser.get("/desk/tickets/heat"))
    assert "<strong>Kadıköy</strong> 1" in page and "<strong>Fatih</strong> 1" in page
    piece = text(browser.get("/desk/tickets/heat?days=7", headers=HTMX))
    assert "Kadıköy" in piece and "Fatih" not in piece and "<html" not in piece
    sides = {"south": 40.8, "north": 41.2, "west": 28.8, "east": 29.2, "zoom": 11}

    def total(**more: Any) -> int:
        found: int = browser.get("/desk/tickets/heat.json", {**sides, **more}).json()["total_tickets"]
        return found

    assert total() == 2
    assert total(days=7) == 1
    assert total(west=29.03) == 0
    assert total(north=40.99, west=29.02) == 2
    assert total(category="nonsense", days="x") == 2
    assert total(status="CLOSED") == 0
    assert browser.get("/desk/tickets/heat.json", {"south": 1}).status_code == 422


def test_the_home_page_leads_to_the_map() -> None:
    assert 'href="/city/"' in text(get("/", Accept="text/html"))


def test_the_pages_load_nothing_from_strangers(lamp: Ticket) -> None:
    answer = get("/city/")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "https://" not in text(answer) and "//cdn" not in text(answer)


def test_why_a_ticket_was_escalated_is_not_for_the_street(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason="The owner threatens us")
    escalations.decide(by=mehmet, escalation_id=asked.pk, verdict="REJECTED", comment="Take the police along")
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="RESOLVED", comment="New bulb")
    shown = text(get(f"/city/tickets/{lamp.pk}"))
    assert "New bulb" in shown and "threatens" not in shown and "police" not in shown
