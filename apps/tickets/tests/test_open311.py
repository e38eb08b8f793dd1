"""Open311 GeoReport v2 call by call, in both formats (contract integrations 11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.core.testing import outcomes, query_budget, race
from apps.tickets.actions import escalations, open311, photos, tickets
from apps.tickets.models import ApiKey, Category, Member, ServiceRequest, SlaClock, Team, Ticket
from apps.tickets.queries import open311 as questions
from apps.tickets.queries import photos as photo_questions
from apps.tickets.tests import cast, city
from apps.tickets.tests.city import KADIKOY

NOBODY = "00000000-0000-4000-8000-000000000000"
"""Nobody's number, the same in every process of a test run."""

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city_districts")]
DESCRIPTION = "The lamp is dark.\nSince Monday."


def get(path: str, base: str = "/tickets", **query: Any) -> HttpResponse:
    return Client().get(f"{base}/open311/v2/{path}", query)


def post(words: str, form: str = "json", **sent: Any) -> HttpResponse:
    body = urlencode({"api_key": words, **sent}, doseq=True)
    return Client().post(f"/tickets/open311/v2/requests.{form}", body, content_type="application/x-www-form-urlencoded")


def xml(answer: HttpResponse) -> ElementTree.Element:
    """Our own answer, read."""
    return ElementTree.fromstring(answer.content)  # noqa: S314


@pytest.fixture
def app(db: None) -> Member:
    """The member in whose name a city app reports."""
    return city.member(name="City app")


@pytest.fixture
def words(app: Member) -> str:
    """Its key."""
    return open311.issue_key(by=None, name="City app", member=app)[1]


def sent(category: Category, **more: Any) -> dict[str, Any]:
    return {"service_code": category.pk, "lat": KADIKOY[0], "long": KADIKOY[1], "description": DESCRIPTION, **more}


# Reading --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/tickets", ""])
def test_discovery(base: str, settings: Any) -> None:
    found = get("discovery.json", base).json()
    assert found["contact"] == settings.TICKETS.open311_contact
    (address,) = found["endpoints"]
    assert address["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert address["url"] == f"http://testserver{base}/open311/v2"
    assert (address["type"], address["formats"]) == ("test", ["text/xml", "application/json"])
    tree = xml(get("discovery.xml", base))
    assert tree.tag == "discovery"
    assert [node.text for node in tree.iterfind("endpoints/endpoint/formats/format")] == [
        "text/xml",
        "application/json",
    ]


def test_services_in_both_formats() -> None:
    Category.objects.all().delete()
    lamp = city.category("Lighting & <lamps>", description="Dark streets")
    city.category("Closed", is_active=False)
    answer = get("services.json")
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer.json() == [
        {
            "service_code": str(lamp.pk),
            "service_name": "Lighting & <lamps>",
            "description": "Dark streets",
            "metadata": True,
            "type": "realtime",
            "keywords": "lighting & <lamps>",
            "group": "",
        }
    ]
    answer = get("services.xml")
    assert answer["Content-Type"] == "text/xml; charset=utf-8"
    tree = xml(answer)
    assert (tree.tag, [node.tag for node in tree]) == ("services", ["service"])
    assert tree.findtext("service/service_name") == "Lighting & <lamps>"
    assert tree.findtext("service/metadata") == "true"


def test_a_definition_asks_for_the_district(lighting: Category) -> None:
    found = get(f"services/{lighting.pk}.json").json()
    (attribute,) = found["attributes"]
    assert found["service_code"] == str(lighting.pk)
    assert (attribute["code"], attribute["datatype"], attribute["required"]) == ("district", "singlevaluelist", False)
    assert len(attribute["values"]) == 39
    tree = xml(get(f"services/{lighting.pk}.xml"))
    assert tree.tag == "service_definition"
    assert len(tree.findall("attributes/attribute/values/value")) == 39
    assert tree.findtext("attributes/attribute/order") == "1"


def test_a_request_field_by_field(lamp: Ticket, can: Member, selin: Member) -> None:
    photo = photos.add(by=can, ticket_id=lamp.pk, file=city.picture())
    (found,) = get(f"requests/{lamp.pk}.json").json()
    due = SlaClock.objects.get(ticket=lamp, kind="RESOLUTION").due_at
    assert found == {
        "service_request_id": str(lamp.pk),
        "status": "open",
        "status_notes": None,
        "service_name": "Lighting",
        "service_code": str(lamp.category_id),
        "description": lamp.description,
        "agency_responsible": "Kadikoy Lights",
        "service_notice": None,
        "requested_datetime": lamp.created_at.isoformat(timespec="seconds"),
        "updated_datetime": lamp.updated_at.isoformat(timespec="seconds"),
        "expected_datetime": due.isoformat(timespec="seconds"),
        "address": None,
        "address_id": str(lamp.district_id),
        "zipcode": None,
        "lat": KADIKOY[0],
        "long": KADIKOY[1],
        "media_url": photo_questions.url(photo.name),
    }
    for status in ("IN_PROGRESS", "RESOLVED"):
        tickets.change_status(by=selin, ticket_id=lamp.pk, status=status, comment="New bulb")
    (found,) = get(f"requests/{lamp.pk}.json").json()
    lamp.refresh_from_db()
    assert (found["status"], found["status_notes"]) == ("closed", "New bulb")
    assert found["updated_datetime"] == lamp.resolved_at.isoformat(timespec="seconds")  # type: ignore[union-attr]


def test_a_request_in_xml(lamp: Ticket) -> None:
    Ticket.objects.filter(pk=lamp.pk).update(description="<b>&\x0b dark")
    answer = get(f"requests/{lamp.pk}.xml")
    tree = xml(answer)
    assert (tree.tag, [node.tag for node in tree]) == ("service_requests", ["request"])
    assert tree.findtext("request/description") == "<b>& dark"
    assert tree.findtext("request/zipcode") == ""
    assert b"xmlns" not in answer.content


def ids(**query: Any) -> list[str]:
    answer = get("requests.json", **query)
    assert answer.status_code == 200, answer.content
    return [row["service_request_id"] for row in answer.json()]


def moment(days_ago: float) -> str:
    return (timezone.now() - timedelta(days=days_ago)).isoformat()


def test_which_requests(lighting: Category, parks: Category) -> None:
    new, old = city.ticket(of=lighting), city.ticket(of=parks, days_ago=89)
    ancient = city.ticket(of=parks, days_ago=91)
    done = city.ticket(of=parks, resolved_after_hours=1, days_ago=5)
    city.ticket(of=parks, deleted_at=timezone.now())
    new_id, old_id, ancient_id, done_id = (str(ticket.pk) for ticket in (new, old, ancient, done))
    assert ids() == [new_id, done_id, old_id]
    assert ids(status="open") == [new_id, old_id]
    assert ids(status="closed") == [done_id]
    assert ids(status="open,closed", service_code="", start_date="") == [new_id, done_id, old_id]
    assert ids(service_code=lighting.pk) == [new_id]
    assert ids(service_code=f"{lighting.pk},{parks.pk}") == [new_id, done_id, old_id]
    assert ids(start_date=moment(10), end_date=moment(1)) == [done_id]
    assert ids(start_date=moment(92)) == [done_id, old_id, ancient_id]
    assert ids(end_date=moment(2)) == [done_id, old_id, ancient_id]
    # Ids go before everything else.
    assert ids(service_request_id=f"{ancient_id}, {new_id}", status="closed") == [new_id, ancient_id]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "half"},
        {"start_date": "yesterday"},
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-05-01T00:00:00Z"},
        {"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"start_date": "9999-12-31T00:00:00Z"},
        {"end_date": "0001-01-01T00:00:00"},
        {"service_request_id": "nonsense"},
    ],
)
def test_a_malformed_question_is_400_in_the_standards_form(query: dict[str, str]) -> None:
    answer = get("requests.json", **query)
    assert answer.status_code == 400
    (error,) = answer.json()
    assert error["code"] == 400 and error["description"]
    tree = xml(get("requests.xml", **query))
    assert (tree.tag, tree.findtext("error/code")) == ("errors", "400")


@pytest.mark.parametrize(
    "path",
    [
        f"requests/{NOBODY}.json",
        "requests/nonsense.json",
        f"tokens/{NOBODY}.json",
        f"services/{NOBODY}.json",
        "services/001.json",
        f"requests.json?service_code={NOBODY}",
    ],
)
def test_what_is_not_there_is_404(path: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.json()[0]["code"]) == (404, 404)


def test_another_format_or_path_is_404() -> None:
    assert get("services.csv").status_code == 404
    assert get("services").status_code == 404


def test_reading_is_limited_by_address() -> None:
    with time_machine.travel(timezone.now().replace(second=1), tick=False):
        for _ in range(120):
            assert get("requests.json").status_code == 200
        answer = get("requests.xml")
    assert (answer.status_code, xml(answer).findtext("error/code")) == (429, "429")


def test_a_list_is_one_query_however_long(can: Member, lighting: Category, kadikoy_team: Team) -> None:
    for _ in range(5):
        ticket = cast.report(can, lighting)
        photos.add(by=can, ticket_id=ticket.pk, file=city.picture())
    with query_budget(1):
        assert len(questions.requests(questions.Asked())) == 5


# Reporting ------------------------------------------------------------------------------------------------------------


def test_a_report_becomes_a_ticket(words: str, app: Member, lighting: Category, kadikoy_team: Team) -> None:
    more = {"email": "a@example.com", "phone": "+905550000001", "first_name": "Ali", "account_id": "77"}
    answer = post(words, **sent(lighting, address_string="Moda Cd. 5", media_url="https://pics.example/1.jpg", **more))
    assert answer.status_code == 200, answer.content
    (body,) = answer.json()
    ticket, taken = Ticket.objects.get(), ServiceRequest.objects.get()
    assert body == {
        "service_request_id": str(ticket.pk),
        "token": str(taken.pk),
        "service_notice": None,
        "account_id": "77",
    }
    assert (ticket.title, ticket.description) == ("The lamp is dark.", DESCRIPTION)
    assert (ticket.latitude, ticket.longitude, ticket.address) == (*KADIKOY, "Moda Cd. 5")
    assert (ticket.reporter, ticket.team, ticket.status) == (app, kadikoy_team, "NEW")
    assert (taken.email, taken.first_name) == ("a@example.com", "Ali")
    (token,) = get(f"tokens/{taken.pk}.json").json()
    assert token == {"service_request_id": str(ticket.pk), "token": str(taken.pk)}
    shown = get(f"requests/{ticket.pk}.json")
    assert shown.json()[0]["media_url"] == "https://pics.example/1.jpg"
    for secret in (b"a@example.com", b"+905550000001", b"Ali"):
        assert secret not in shown.content


def test_a_report_in_xml(words: str, lighting: Category) -> None:
    tree = xml(post(words, "xml", **sent(lighting)))
    assert tree.tag == "service_requests"
    assert tree.findtext("request/service_request_id") == str(Ticket.objects.get().pk)
    assert tree.findtext("request/account_id") == ""


def test_the_same_report_on_the_same_day_is_one(words: str, lighting: Category) -> None:
    first, second = post(words, **sent(lighting)).json(), post(words, **sent(lighting)).json()
    assert first == second
    assert post(words, **sent(lighting, description="Another lamp is dark")).json() != first
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize(
    ("now", "is_new"),
    [
        ({"status": "IN_PROGRESS"}, False),
        ({"status": "ESCALATED"}, False),
        ({"status": "RESOLVED"}, True),
        ({"status": "CLOSED"}, True),
        ({"deleted_at": timezone.now()}, True),
    ],
)
def test_the_same_report_of_what_is_over_is_taken_in(
    words: str, lighting: Category, now: dict[str, Any], is_new: bool
) -> None:
    """The lamp went out again: an answer with the solved report would swallow this one."""
    first = post(words, **sent(lighting)).json()
    Ticket.objects.update(**now)
    second, third = post(words, **sent(lighting)).json(), post(words, **sent(lighting)).json()
    assert (second != first, third) == (is_new, second)
    assert (Ticket.objects.count(), ServiceRequest.objects.count()) == (1 + is_new, 1 + is_new)


def test_the_same_report_of_a_duplicate_lasts_as_long_as_its_original(words: str, lighting: Category) -> None:
    first = post(words, **sent(lighting)).json()
    original = city.ticket(of=lighting)
    Ticket.objects.exclude(pk=original.pk).update(status="CLOSED", duplicate_of=original)
    assert post(words, **sent(lighting)).json() == first
    cast.in_status(original, "RESOLVED")
    assert post(words, **sent(lighting)).json() != first


def test_without_a_point_the_district_must_be_known(words: str, lighting: Category) -> None:
    sile, centre = city.district("Şile"), (41.1750, 29.6133)
    for more in (
        {"address_string": "Liman, Şile"},
        {"address_id": sile.pk},
        {"attribute[district]": sile.pk},
    ):
        body = {"service_code": lighting.pk, "description": f"Dark {uuid4()}", **more}
        ticket = Ticket.objects.get(pk=post(words, **body).json()[0]["service_request_id"])
        assert (ticket.district, ticket.latitude, ticket.longitude) == (sile, *centre)
    for more in ({}, {"address_string": "Nowhere 1"}, {"address_id": "x"}):
        answer = post(words, service_code=lighting.pk, description="Dark", **more)
        assert (answer.status_code, answer.json()[0]["code"]) == (400, 400)
    assert Ticket.objects.count() == 3


def test_a_report_needs_no_words(words: str, lighting: Category) -> None:
    post(words, **sent(lighting, description=""))
    assert (Ticket.objects.get().title, Ticket.objects.get().description) == ("Lighting", "Lighting")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"service_code": ""}, 400),
        ({"service_code": "001"}, 404),
        ({"service_code": str(uuid4())}, 404),
        ({"lat": "91"}, 400),
        ({"lat": "north"}, 400),
        ({"long": ""}, 400),
        ({"description": "x" * 4001}, 400),
        ({"description": "a\x00b"}, 400),
        ({"media_url": "javascript:alert(1)"}, 400),
        ({"media_url": "file:///etc/passwd"}, 400),
    ],
)
def test_a_malformed_report_is_refused(words: str, lighting: Category, change: dict[str, str], status: int) -> None:
    answer = post(words, **{**sent(lighting), **change})
    assert (answer.status_code, answer.json()[0]["code"]) == (status, status)
    assert not Ticket.objects.exists()


def test_a_closed_category_takes_nothing(words: str) -> None:
    assert post(words, **sent(city.category(is_active=False))).status_code == 404


def test_without_a_good_key_it_is_403(words: str, app: Member, lighting: Category) -> None:
    def statuses() -> set[int]:
        return {post(words, **sent(lighting)).status_code, post(words, "xml", **sent(lighting)).status_code}

    for bad in ("", "o311_wrong", words[:-1]):
        answer = post(bad, **sent(lighting))
        assert (answer.status_code, answer.json()) == (
            403,
            [{"code": 403, "description": "api_key is missing or not valid"}],
        )
    Member.objects.filter(pk=app.pk).update(is_active=False)
    assert statuses() == {403}
    Member.objects.filter(pk=app.pk).update(is_active=True)
    open311.revoke_key(by=None, key_id=ApiKey.objects.get().pk)
    assert statuses() == {403}
    assert not Ticket.objects.exists()


def test_reports_of_a_key_are_limited(words: str, lighting: Category, settings: Any) -> None:
    settings.TICKETS = type(settings.TICKETS)(**{**vars(settings.TICKETS), "open311_per_minute": 2})
    for number in range(2):
        assert post(words, **sent(lighting, description=f"Lamp {number}")).status_code == 200
    answer = post(words, **sent(lighting, description="Lamp 3"))
    assert (answer.status_code, answer.json()[0]["code"]) == (429, 429)
    assert int(answer["Retry-After"]) > 0
    assert Ticket.objects.count() == 2


def test_another_jurisdiction_is_404(words: str, lighting: Category, settings: Any) -> None:
    settings.TICKETS = type(settings.TICKETS)(**{**vars(settings.TICKETS), "open311_jurisdiction": "istanbul.tr"})
    assert get("services.json", jurisdiction_id="ankara.tr").status_code == 404
    assert get("services.json", jurisdiction_id="istanbul.tr").status_code == 200
    assert get("services.json").status_code == 200
    assert post(words, **sent(lighting, jurisdiction_id="ankara.tr")).status_code == 404
    assert not Ticket.objects.exists()


@pytest.mark.race
def test_the_same_report_six_times_at_once_is_one_ticket(app: Member, words: str, lighting: Category) -> None:
    key = open311.prove_key(words)
    told = open311.Report(str(lighting.pk), *KADIKOY, description=DESCRIPTION)
    results = race(6, lambda _: open311.report(key=key, report=told).pk)
    assert outcomes(results) == {"ok": 6}
    assert len(set(results)) == 1
    assert (Ticket.objects.count(), ServiceRequest.objects.count(), SlaClock.objects.count()) == (1, 1, 2)


@pytest.mark.race
def test_what_is_over_is_taken_in_once_by_six_at_once(app: Member, words: str, lighting: Category) -> None:
    key = open311.prove_key(words)
    told = open311.Report(str(lighting.pk), *KADIKOY, description=DESCRIPTION)
    first = open311.report(key=key, report=told)
    cast.in_status(first.ticket, "RESOLVED")
    results = race(6, lambda _: open311.report(key=key, report=told).pk)
    assert outcomes(results) == {"ok": 6}
    assert len({first.pk, *results}) == 2
    assert (Ticket.objects.count(), ServiceRequest.objects.count()) == (2, 2)


def test_the_document_speaks_the_standards_dialect(client: Client) -> None:
    paths = client.get("/tickets/openapi.json").json()["paths"]
    found = paths["/open311/v2/requests.xml"]["post"]["responses"]
    assert set(found) == {"200", "400", "403", "404", "429"}
    assert all(set(answer["content"]) == {"text/xml"} for answer in found.values())
    assert found["403"]["content"]["text/xml"]["schema"] == {"$ref": "#/components/schemas/GeoErrors"}
    read = paths["/open311/v2/requests.json"]["get"]["responses"]
    assert set(read) == {"200", "400", "404", "429"} and set(read["400"]["content"]) == {"application/json"}
    table = paths["/api/v1/analytics/export/{figure}"]["get"]["responses"]
    assert set(table["200"]["content"]) == {"text/csv"} and set(table["403"]["content"]) == {"application/json"}


def test_why_a_ticket_was_escalated_is_not_for_everybody(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    """Requests are read by staff alone, so their reasons do not go out to the street by the history either."""
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason="The owner threatens us")
    assert "threatens" not in get(f"requests/{lamp.pk}.json").content.decode()
    escalations.decide(by=mehmet, escalation_id=asked.pk, verdict="APPROVED", comment="Take the police along")
    (found,) = get(f"requests/{lamp.pk}.json").json()
    assert (found["status"], found["status_notes"]) == ("open", None)
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="RESOLVED", comment="New bulb")
    assert get(f"requests/{lamp.pk}.json").json()[0]["status_notes"] == "New bulb"
