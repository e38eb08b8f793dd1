"""Who is told what, by inbox, socket and text message (contract tickets 1.5, 3, D18, D24)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from apps.accounts.models import User
from apps.core import events
from apps.core.models import OutboxMessage
from apps.core.testing import deliver, query_budget
from apps.integrations.ports import VendorBusy, port
from apps.notifications import actions as notifications
from apps.notifications import channels
from apps.notifications.models import Delivery, Notification, Wish
from apps.tickets.actions import comments, escalations, tickets
from apps.tickets.events import TicketAssigned
from apps.tickets.models import Category, Follow, Member, Team, Ticket
from apps.tickets.tests import cast
from apps.tickets.tests.cast import Caller, texts_to, told
from scripts import messages

pytestmark = pytest.mark.django_db

NINE = {
    *("TICKET_CREATED", "TICKET_STATUS_CHANGED", "TICKET_FOLLOWED", "COMMENT_ADDED", "TICKET_ASSIGNED"),
    *("ESCALATION_REQUESTED", "ESCALATION_APPROVED", "ESCALATION_REJECTED", "NEW_TICKET_FOR_TEAM"),
}


def newest(member: Member) -> dict[str, Any]:
    deliver()
    found: dict[str, Any] = Caller(member).get("notifications").json()["items"][0]
    return found


def send_texts() -> None:
    deliver()
    notifications.deliver_due()


def test_there_are_nine_kinds_for_inbox_and_socket() -> None:
    ours = {kind.name: kind.channels for kind in channels.kinds("tickets")}
    assert {name for name, ways in ours.items() if set(ways) == {"inbox", "socket"}} >= NINE


def test_a_new_ticket_tells_its_reporter_and_the_support_of_its_team(
    can: Member, selin: Member, sinan: Member, mehmet: Member, lamp: Ticket
) -> None:
    assert told(can) == ["TICKET_CREATED"]
    assert told(selin) == ["NEW_TICKET_FOR_TEAM"]
    assert told(sinan) == told(mehmet) == []
    row = newest(can)
    expected = {
        "user_id": str(can.pk),
        "ticket_id": str(lamp.pk),
        "notification_type": "TICKET_CREATED",
        "title": "Your report was received",
        "message": "Your ticket “Broken lamp” was received.",
        "is_read": False,
        "read_at": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert set(row) == {*expected, "id", "created_at", "updated_at"}


def test_a_reporter_of_the_team_itself_is_told_once(selin: Member, lighting: Category) -> None:
    cast.report(selin, lighting)
    assert told(selin) == ["TICKET_CREATED"]


def test_a_follower_is_announced_to_the_reporter_once(can: Member, zeynep: Member, lamp: Ticket) -> None:
    for _ in range(2):
        tickets.follow(by=zeynep, ticket_id=lamp.pk)
        tickets.unfollow(by=zeynep, ticket_id=lamp.pk)
    tickets.follow(by=can, ticket_id=lamp.pk)
    assert told(can) == ["TICKET_CREATED", "TICKET_FOLLOWED"]
    assert newest(can)["message"] == "Zeynep follows your ticket “Broken lamp”."
    assert told(zeynep) == []


def test_a_new_status_tells_reporter_and_followers_but_not_who_did_it(
    can: Member, zeynep: Member, selin: Member, lamp: Ticket
) -> None:
    for by in (zeynep, selin):
        tickets.follow(by=by, ticket_id=lamp.pk)
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    assert told(can)[-1] == "TICKET_STATUS_CHANGED"
    assert told(zeynep) == ["TICKET_STATUS_CHANGED"]
    assert told(selin) == ["NEW_TICKET_FOR_TEAM"]
    assert newest(zeynep)["message"] == "The status of “Broken lamp” changed from New to In Progress."


def test_a_public_comment_tells_everybody_once_and_never_its_author(
    can: Member, zeynep: Member, selin: Member, sinan: Member, lamp: Ticket
) -> None:
    tickets.follow(by=zeynep, ticket_id=lamp.pk)
    tickets.follow(by=selin, ticket_id=lamp.pk)  # follower and support of the team: still told once
    comments.add(by=zeynep, ticket_id=lamp.pk, content="x" * 60)
    assert told(can)[-1] == "COMMENT_ADDED"
    assert told(selin) == ["NEW_TICKET_FOR_TEAM", "COMMENT_ADDED"]
    assert told(zeynep) == told(sinan) == []
    assert newest(selin)["message"] == f"Zeynep commented on “Broken lamp”: {'x' * 50}"


def test_other_citizens_do_not_learn_the_reporters_name(
    can: Member, zeynep: Member, selin: Member, mehmet: Member, lamp: Ticket
) -> None:
    """C6: staff do, followers do not."""
    for follower in (zeynep, mehmet):
        tickets.follow(by=follower, ticket_id=lamp.pk)
    comments.add(by=can, ticket_id=lamp.pk, content="Still dark")
    assert newest(zeynep)["message"] == "The reporter commented on “Broken lamp”: Still dark"
    for member in (selin, mehmet):
        assert newest(member)["message"] == "Can commented on “Broken lamp”: Still dark"
    assert [told(member).count("COMMENT_ADDED") for member in (can, zeynep, selin, mehmet)] == [0, 1, 1, 1]


def test_the_nameless_reporter_in_all_languages(can: Member, lamp: Ticket, tmp_path: Path, settings: Any) -> None:
    messages.compile_into(tmp_path)
    settings.LOCALE_PATHS = [tmp_path]
    fans = {language: cast.person(f"Fan {language}") for language in ("ru", "uz", "tr")}
    for language, fan in fans.items():
        User.objects.filter(pk=fan.user_id).update(language=language)
        tickets.follow(by=fan, ticket_id=lamp.pk)
    comments.add(by=can, ticket_id=lamp.pk, content="Still dark")
    assert {language: newest(fan)["message"] for language, fan in fans.items()} == {
        "ru": "Заявитель комментирует «Broken lamp»: Still dark",
        "uz": "Murojaat muallifi «Broken lamp» haqida izoh yozdi: Still dark",
        "tr": "Bildirimi yapan kişi “Broken lamp” için yorum yazdı: Still dark",
    }


def test_other_citizens_words_have_their_name(can: Member, zeynep: Member, lamp: Ticket) -> None:
    other = cast.person("Deniz")
    tickets.follow(by=zeynep, ticket_id=lamp.pk)
    comments.add(by=other, ticket_id=lamp.pk, content="Here too")
    assert newest(zeynep)["message"] == newest(can)["message"] == "Deniz commented on “Broken lamp”: Here too"


def test_internal_words_stay_inside(can: Member, selin: Member, sinan: Member, lamp: Ticket) -> None:
    comments.add(by=sinan, ticket_id=lamp.pk, content="Crane is booked", is_internal=True)
    assert (told(can), told(selin)) == (["TICKET_CREATED"], ["NEW_TICKET_FOR_TEAM"])


def test_words_with_braces_are_words(can: Member, zeynep: Member, lamp: Ticket) -> None:
    Ticket.objects.filter(pk=lamp.pk).update(title="A {title} of {0}")
    comments.add(by=zeynep, ticket_id=lamp.pk, content="{name} {")
    assert newest(can)["message"] == "Zeynep commented on “A {title} of {0}”: {name} {"


def test_an_assignment_tells_the_new_teams_support(
    can: Member, selin: Member, sinan: Member, mehmet: Member, lamp: Ticket
) -> None:
    deliver()
    tickets.assign(by=mehmet, ticket_id=lamp.pk, team_id=sinan.team_id)  # type: ignore[arg-type]
    assert told(sinan) == ["TICKET_ASSIGNED"]
    assert told(selin) == ["NEW_TICKET_FOR_TEAM"]
    assert told(can) == ["TICKET_CREATED"]
    tickets.assign(by=sinan, ticket_id=lamp.pk, team_id=selin.team_id)  # type: ignore[arg-type]
    tickets.assign(by=selin, ticket_id=lamp.pk, team_id=sinan.team_id)  # type: ignore[arg-type]
    assert told(sinan) == ["TICKET_ASSIGNED", "TICKET_ASSIGNED"]


def test_a_team_that_gets_a_ticket_before_anybody_was_told_hears_of_it_once(
    selin: Member, sinan: Member, mehmet: Member, lamp: Ticket
) -> None:
    tickets.assign(by=mehmet, ticket_id=lamp.pk, team_id=sinan.team_id)  # type: ignore[arg-type]
    assert (told(selin), told(sinan)) == ([], ["TICKET_ASSIGNED"])


def test_who_claims_a_ticket_is_not_told_of_it(selin: Member, free_lamp: Ticket) -> None:
    colleague = cast.person("Kemal", cast.Role.SUPPORT, selin.team)
    tickets.assign(by=selin, ticket_id=free_lamp.pk, team_id=selin.team_id)  # type: ignore[arg-type]
    assert (told(selin), told(colleague)) == ([], ["TICKET_ASSIGNED"])


def test_a_request_tells_all_managers_and_the_decision_who_asked_and_who_reported(
    can: Member, selin: Member, mehmet: Member, lamp: Ticket
) -> None:
    other = cast.person("Murat", cast.Role.MANAGER)
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane, and the crane needs a permit!!")
    assert told(mehmet) == told(other) == ["ESCALATION_REQUESTED"]
    assert newest(mehmet)["message"].endswith("We need a crane, and the crane needs a permit!!"[:50])
    escalations.decide(by=mehmet, escalation_id=asked.pk, verdict="APPROVED")
    assert "ESCALATION_APPROVED" in told(selin) and "ESCALATION_APPROVED" in told(can)
    assert told(mehmet) == ["ESCALATION_REQUESTED"]


def test_a_rejection_has_its_own_kind(selin: Member, mehmet: Member, lamp: Ticket) -> None:
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane")
    escalations.decide(by=mehmet, escalation_id=asked.pk, verdict="REJECTED")
    assert "ESCALATION_REJECTED" in told(selin)


def test_deleted_tickets_and_removed_people_are_not_talked_about(
    can: Member, selin: Member, mehmet: Member, lamp: Ticket
) -> None:
    Caller(mehmet).delete(f"users/{selin.pk}")
    tickets.delete(by=can, ticket_id=lamp.pk)
    assert told(can) == told(selin) == []


def test_every_handler_bears_being_run_twice(
    can: Member, zeynep: Member, selin: Member, mehmet: Member, lamp: Ticket
) -> None:
    tickets.follow(by=zeynep, ticket_id=lamp.pk)
    comments.add(by=zeynep, ticket_id=lamp.pk, content="Here too")
    asked = escalations.request(by=selin, ticket_id=lamp.pk, reason="We need a crane")
    escalations.decide(by=mehmet, escalation_id=asked.pk, verdict="APPROVED")
    deliver()
    rows = Notification.objects.count()
    OutboxMessage.objects.filter(event__startswith="tickets.").update(delivered_at=None, due_at=asked.created_at)
    deliver()
    assert Notification.objects.count() == rows


def test_many_followers_are_told_in_a_constant_number_of_statements(selin: Member, lamp: Ticket) -> None:
    """D18, D19: outside the request, and not one commit each."""
    fans = [cast.person(f"Fan{number}") for number in range(40)]
    Follow.objects.bulk_create(Follow(ticket=lamp, member=fan) for fan in fans)
    deliver()
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    assert not Notification.objects.filter(kind="TICKET_STATUS_CHANGED").exists()  # nothing within the request
    with query_budget(40):
        events.relay()
    assert Notification.objects.filter(kind="TICKET_STATUS_CHANGED").count() == 41


def test_texts_to_many_followers_are_a_constant_number_of_statements(selin: Member, lamp: Ticket) -> None:
    fans = [cast.person(f"Fan{number}") for number in range(40)]
    Follow.objects.bulk_create(Follow(ticket=lamp, member=fan) for fan in fans)
    wish = {"product": "tickets", "kind": "FOLLOWED_TICKET_SMS", "channel": "sms", "is_on": True}
    Wish.objects.bulk_create(Wish(user=fan.user, **wish) for fan in fans)
    deliver()
    tickets.change_status(by=selin, ticket_id=lamp.pk, status="IN_PROGRESS")
    with query_budget(50):
        events.relay()
    assert Delivery.objects.filter(channel="sms", notification__kind="FOLLOWED_TICKET_SMS").count() == 40


# Text messages --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("origin", "to", "phrase"),
    [
        ("NEW", "IN_PROGRESS", "isleme alindi"),
        ("IN_PROGRESS", "RESOLVED", "cozuldu"),
        ("RESOLVED", "CLOSED", "kapatildi"),
        ("IN_PROGRESS", "ESCALATED", "yoneticiye iletildi"),
    ],
)
def test_the_reporter_gets_a_turkish_text(
    can: Member, zeynep: Member, mehmet: Member, lamp: Ticket, origin: str, to: str, phrase: str
) -> None:
    """D24: the phrase, not the raw word of the code."""
    cast.in_status(lamp, origin)
    tickets.follow(by=zeynep, ticket_id=lamp.pk)
    tickets.change_status(by=mehmet, ticket_id=lamp.pk, status=to)
    send_texts()
    assert texts_to(can) == [f"Mahallem: {str(lamp.pk)[:8]} numarali bildiriminiz {phrase}."]
    assert texts_to(zeynep) == []
    assert texts_to(can)[0].isascii()
    assert "SMS" not in " ".join(told(can))  # a text message is not in the inbox too


def test_a_follower_may_switch_texts_on_and_the_reporter_off(
    can: Member, zeynep: Member, mehmet: Member, lamp: Ticket
) -> None:
    tickets.follow(by=zeynep, ticket_id=lamp.pk)
    for by, kind, is_on in ((zeynep, "FOLLOWED_TICKET_SMS", True), (can, "TICKET_STATUS_SMS", False)):
        wishes = [{"kind": kind, "channel": "sms", "is_on": is_on}]
        answer = Caller(by).put("notifications/settings", {"wishes": wishes})
        assert answer.status_code == 200
        assert next(row for row in answer.json() if row["kind"] == kind)["channels"]["sms"] is is_on
    tickets.change_status(by=mehmet, ticket_id=lamp.pk, status="IN_PROGRESS")
    send_texts()
    assert (len(texts_to(zeynep)), texts_to(can)) == (1, [])


def test_texts_go_to_the_members_own_phone_and_to_mobiles_only(can: Member, mehmet: Member, lamp: Ticket) -> None:
    Member.objects.filter(pk=can.pk).update(phone_number="+902121234567")
    tickets.change_status(by=mehmet, ticket_id=lamp.pk, status="IN_PROGRESS")
    send_texts()
    assert not port("sms").sent


def test_a_busy_vendor_gets_the_text_later(can: Member, mehmet: Member, lamp: Ticket) -> None:
    port("sms").fail_with(VendorBusy("down"))
    tickets.change_status(by=mehmet, ticket_id=lamp.pk, status="IN_PROGRESS")
    send_texts()
    assert texts_to(can) == []
    assert Delivery.objects.get(channel="sms").state == "queued"


# The inbox ------------------------------------------------------------------------------------------------------------
def test_the_inbox_is_paged_read_and_emptied(can: Member, zeynep: Member, lighting: Category) -> None:
    for _ in range(3):
        cast.report(can, lighting)
    deliver()
    caller = Caller(can)
    with query_budget(4):
        page = caller.get("notifications", page_size=2).json()
    assert (len(page["items"]), page["total"], page["page"], page["page_size"]) == (2, 3, 1, 2)
    with query_budget(3):
        assert caller.get("notifications/unread-count").json() == {"count": 3}
    first = page["items"][0]["id"]
    for _ in range(2):
        read = caller.patch(f"notifications/{first}/read")
        assert read.status_code == 200
        assert read.json()["is_read"] is True and read.json()["read_at"]
    assert caller.get("notifications", unread_only="true").json()["total"] == 2
    assert set(caller.patch("notifications/read-all").json()) == {"message"}
    assert caller.get("notifications/unread-count").json() == {"count": 0}
    assert caller.delete(f"notifications/{first}").status_code == 204
    assert caller.delete(f"notifications/{first}").status_code == 404
    assert caller.get("notifications").json()["total"] == 2


def test_other_peoples_notifications_do_not_exist(can: Member, zeynep: Member, lamp: Ticket) -> None:
    mine = newest(can)["id"]
    stranger = Caller(zeynep)
    assert stranger.patch(f"notifications/{mine}/read").status_code == 404
    assert stranger.delete(f"notifications/{mine}").status_code == 404
    assert stranger.get("notifications").json() == {"items": [], "total": 0, "page": 1, "page_size": 20}
    assert newest(can)["is_read"] is False
    assert stranger.patch(f"notifications/{uuid4()}/read").status_code == 404
    assert stranger.delete("notifications/x").status_code == 422
    assert stranger.get("notifications", page_size="101").status_code == 422


@pytest.mark.parametrize("wish", [{"channel": "pigeon", "is_on": True}, {"channel": "sms"}, {"is_on": True}])
def test_malformed_wishes_are_422(can: Member, wish: dict[str, Any]) -> None:
    assert Caller(can).put("notifications/settings", {"wishes": [wish]}).status_code == 422


def test_a_stale_assignment_is_not_told(selin: Member, sisli_team: Team, lamp: Ticket) -> None:
    """Another one was quicker than the messenger."""
    with transaction.atomic():
        events.publish(
            TicketAssigned(ticket_id=str(lamp.pk), team_id=str(sisli_team.pk), by_id=None, occasion="long ago")
        )
    assert told(selin) == ["NEW_TICKET_FOR_TEAM"]
