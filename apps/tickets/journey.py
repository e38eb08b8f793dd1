"""The whole way of a report on a running server: sign-up, report, work, escalation, mark, figures; `manage.py journey`.

The staff are the sample ones (`manage.py seed`), the citizens are new on every run.
"""

from __future__ import annotations

import random
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from apps.tickets import seeding

API = "/api/v1"
KADIKOY = (40.9819, 29.0216)
WINDOW = "south=40.5&west=28&north=41.5&east=30&zoom=11"


@dataclass
class Citizen:
    """A new phone on every run, so journeys do not meet."""

    name: str
    phone: str = field(default_factory=lambda: f"+90532{secrets.randbelow(10**7):07d}")
    token: str = ""


def run(client: Any) -> None:
    """Drive the whole way. Raises `Mismatch` at the first difference."""
    reporter, neighbour = Citizen("Ayşe Yılmaz"), Citizen("Can Demir")
    _open_the_door(client)
    for citizen in (reporter, neighbour):
        _sign_up(client, citizen)
    officer, manager = _sign_in(client, seeding.OFFICER), _sign_in(client, seeding.MANAGER)
    category = _look_around(client)
    with client.socket("/ws/tickets/") as ears:
        ears.send({"type": "auth", "token": reporter.token})
        ticket = _report(client, reporter, category)
        _follow(client, reporter, neighbour, ticket)
        _work(client, reporter, officer, ticket)
        _hear(client, ears, ticket)
    _ask_for_a_decision(client, officer, manager, ticket)
    _finish(client, reporter, officer, ticket)
    _read_figures(client, manager)
    _look_in_public(client, ticket)


def _call(client: Any, method: str, path: str, token: str = "", body: Any = None, expect: int = 200) -> Any:
    return client.call(method, f"{API}{path}", token=token, body=body, expect=expect)


# People ---------------------------------------------------------------------------------------------------------------


def _open_the_door(client: Any) -> None:
    with client.step("the city is healthy; unknown paths are 404, closed ones 401"):
        client.call("GET", "/health")
        _call(client, "GET", "/nowhere", expect=404)
        _call(client, "GET", "/auth/me", expect=401)
    with client.step("39 districts and the reference categories, with and without a slash"):
        districts = _call(client, "GET", "/districts")
        client.same("districts", districts["total"], 39)
        client.same("the other form", _call(client, "GET", "/districts/"), districts)


def _sign_up(client: Any, citizen: Citizen) -> None:
    with client.step(f"{citizen.name} proves a phone with a code and registers with the same code"):
        asked = _call(client, "POST", "/auth/request-otp", body={"phone_number": citizen.phone})
        client.same("life of the code", asked["expires_in_seconds"], 300)
        code = client.until("the text message", lambda: _code(client, citizen.phone))
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        _call(client, "POST", "/auth/verify-otp", body={"phone_number": citizen.phone, "code": wrong}, expect=400)
        proved = _call(client, "POST", "/auth/verify-otp", body={"phone_number": citizen.phone, "code": code})
        client.same("registration is required", proved["requires_registration"], True)
        form = {"phone_number": citizen.phone, "otp_code": code, "full_name": citizen.name}
        citizen.token = str(_call(client, "POST", "/auth/register", body=form, expect=201)["access_token"])
        me = _call(client, "GET", "/auth/me", citizen.token)
        client.same("profile", (me["name"], me["role"], me["is_verified"]), (citizen.name, "CITIZEN", True))


def _code(client: Any, phone: str) -> str:
    """The six digits of the newest text message, or nothing yet."""
    for message in client.vendor("GET", f"/messages?channel=sms&to={quote(phone)}"):
        if found := re.search(r"\b\d{6}\b", message["text"]):
            return found[0]
    return ""


def _sign_in(client: Any, email: str) -> str:
    with client.step(f"{email} signs in at the staff's door"):
        form = {"email": email, "password": seeding.PASSWORD}
        return str(_call(client, "POST", "/auth/staff/login", body=form)["access_token"])


def _look_around(client: Any) -> str:
    with client.step("somebody chooses a category"):
        found = {row["name"]: row["id"] for row in _call(client, "GET", "/categories")["items"]}
        client.sure("there is Lighting", "Lighting" in found)
    return str(found["Lighting"])


# The ticket -----------------------------------------------------------------------------------------------------------


def _report(client: Any, reporter: Citizen, category: str) -> str:
    latitude, longitude = (degrees + random.uniform(-0.01, 0.01) for degrees in KADIKOY)  # noqa: S311 - a place
    body = {
        "title": "Sokak lambası yanmıyor",
        "description": "Köşedeki lamba bir haftadır yanmıyor, akşam çok karanlık",
        "category_id": category,
        "location": {"latitude": latitude, "longitude": longitude},
    }
    with client.step("a report without a whole point is refused (422)"):
        half = {**body, "location": {"latitude": latitude}}
        _call(client, "POST", "/tickets/", reporter.token, half, expect=422)
    with client.step("a report is routed to the team of its category and district"):
        made = _call(client, "POST", "/tickets/", reporter.token, body, expect=201)
        client.same("ticket", (made["status"], made["follower_count"]), ("NEW", 1))
        client.same("team", made["team_name"], "Lighting team")
    with client.step("it is near its own place, and in the reporter's list"):
        place = f"latitude={latitude}&longitude={longitude}&radius_meters=500"
        near = _call(client, "GET", f"/tickets/nearby?{place}", reporter.token)
        client.same("the nearest one", near[0]["id"], made["id"])
        mine = _call(client, "GET", "/tickets/my", reporter.token)
        client.same("my tickets", [row["id"] for row in mine["items"]], [made["id"]])
    return str(made["id"])


def _follow(client: Any, reporter: Citizen, neighbour: Citizen, ticket: str) -> None:
    with client.step("a neighbour follows, twice is fine, and comments; he sees no names"):
        for _ in range(2):
            _call(client, "POST", f"/tickets/{ticket}/follow", neighbour.token, expect=201)
        said = {"content": "Bizim tarafta da karanlık"}
        _call(client, "POST", f"/tickets/{ticket}/comments", neighbour.token, said, expect=201)
        seen = _call(client, "GET", f"/tickets/{ticket}", neighbour.token)
        client.same("what he sees", (seen["reporter_name"], seen["follower_count"]), (None, 2))
    with client.step("citizens neither list all tickets nor move them (403)"):
        _call(client, "GET", "/tickets/", neighbour.token, expect=403)
        _call(client, "PATCH", f"/tickets/{ticket}/status", reporter.token, {"status": "IN_PROGRESS"}, expect=403)


def _work(client: Any, reporter: Citizen, officer: str, ticket: str) -> None:
    path = f"/tickets/{ticket}"
    with client.step("the team finds it among its own and begins the work; skipping a step is refused (400)"):
        listed = _call(client, "GET", "/tickets/assigned?page_size=100&status_filter=new", officer)
        client.sure("it is in the list", ticket in {row["id"] for row in listed["items"]})
        _call(client, "PATCH", f"{path}/status", officer, {"status": "CLOSED"}, expect=400)
        moved = _call(client, "PATCH", f"{path}/status", officer, {"status": "in_progress", "comment": "Yoldayız"})
        client.same("status", moved["status"], "IN_PROGRESS")
    with client.step("an internal comment is for staff alone"):
        body = {"content": "Merdiven gerekli", "is_internal": True}
        _call(client, "POST", f"{path}/comments", officer, body, expect=201)
        client.same("for staff", _call(client, "GET", f"{path}/comments", officer)["total"], 2)
        client.same("for the reporter", _call(client, "GET", f"{path}/comments", reporter.token)["total"], 1)


def _hear(client: Any, ears: Any, ticket: str) -> None:
    with client.step("the reporter hears of it over the WebSocket"):
        client.heard(ears, "notification", notification_type="TICKET_STATUS_CHANGED", ticket_id=ticket)


def _ask_for_a_decision(client: Any, officer: str, manager: str, ticket: str) -> None:
    with client.step("the team asks for a decision, once at a time (409); nobody moves it meanwhile"):
        body = {"ticket_id": ticket, "reason": "Vinç kiralamak gerekiyor"}
        asked = _call(client, "POST", "/escalations", officer, body, expect=201)
        _call(client, "POST", "/escalations", officer, body, expect=409)
        _call(client, "PATCH", f"/tickets/{ticket}/status", manager, {"status": "IN_PROGRESS"}, expect=400)
    with client.step("a manager approves; support may not, and nobody does it twice"):
        path = f"/escalations/{asked['id']}/approve"
        _call(client, "PATCH", path, officer, {}, expect=403)
        client.same("decision", _call(client, "PATCH", path, manager, {"comment": "Olur"})["status"], "APPROVED")
        _call(client, "PATCH", path, manager, {}, expect=403)
        client.same("ticket", _call(client, "GET", f"/tickets/{ticket}", manager)["status"], "IN_PROGRESS")


def _finish(client: Any, reporter: Citizen, officer: str, ticket: str) -> None:
    path = f"/feedback/tickets/{ticket}"
    with client.step("no mark before the work is done (403); then one (409 for a second)"):
        _call(client, "POST", path, reporter.token, {"rating": 5}, expect=403)
        _call(client, "PATCH", f"/tickets/{ticket}/status", officer, {"status": "RESOLVED"})
        given = _call(client, "POST", path, reporter.token, {"rating": 4, "comment": "Teşekkürler"}, expect=201)
        client.same("mark", given["rating"], 4)
        _call(client, "POST", path, reporter.token, {"rating": 5}, expect=409)
    with client.step("history is newest first; the reporter has messages and a text"):
        lines = _call(client, "GET", f"/tickets/{ticket}", reporter.token)["status_logs"]
        client.same(
            "history",
            [line["new_status"] for line in lines],
            ["RESOLVED", "IN_PROGRESS", "ESCALATED", "IN_PROGRESS", "NEW"],
        )
        client.until("a text about the resolution", lambda: _is_told(client, reporter.phone))
        inbox = _call(client, "GET", "/notifications", reporter.token)
        client.sure("the inbox is not empty", inbox["total"] > 0)


def _is_told(client: Any, phone: str) -> bool:
    texts = client.vendor("GET", f"/messages?channel=sms&to={quote(phone)}")
    return any("cozuldu" in message["text"] for message in texts)


# Figures and pages ----------------------------------------------------------------------------------------------------


def _read_figures(client: Any, manager: str) -> None:
    with client.step("the dashboard counts the city, rates are percentages"):
        figures = _call(client, "GET", "/analytics/dashboard?days=30", manager)
        client.sure("there are tickets", figures["total_tickets"] > 0)
        client.sure("the rate is a percentage", 0 <= figures["resolution_rate"] <= 100)
        for name in ("categories", "teams", "neighborhoods", "feedback-trends"):
            client.sure(f"{name} have rows", bool(_call(client, "GET", f"/analytics/{name}", manager)["items"]))
    with client.step("the heat map stays small"):
        heat = _call(client, "GET", "/analytics/heatmap?days=30", manager)
        client.sure("at most 2,000 points", 0 < len(heat["points"]) <= 2000)


def _look_in_public(client: Any, ticket: str) -> None:
    with client.step("everybody sees the map, the ticket without its people, and Open311"):
        markers = client.call("GET", f"/city/markers?{WINDOW}", to=client.base)
        client.sure("there are markers", bool(markers["items"]))
        page = client.call("GET", f"/city/tickets/{ticket}", to=client.base)
        client.sure("the page shows the ticket", "Sokak lambası" in page)
        client.sure("but not the reporter", "Ayşe Yılmaz" not in page)
        services = client.call("GET", "/open311/v2/services.json")
        client.sure("services", len(services) >= 6)
