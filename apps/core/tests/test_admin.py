"""The manners of the back office: a reason before a deed, refusals as messages, the outbox screen's one button."""

import re

import pytest
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from apps.core import errors
from apps.core.admin import run_action
from apps.core.models import OutboxMessage

pytestmark = pytest.mark.django_db
SCREEN = "admin:core_outboxmessage_changelist"


class Closed(errors.Conflict):
    code = "closed"
    detail = "Closed until {hour}"
    message = "Closed until {hour}"


@pytest.fixture
def letter():
    return OutboxMessage.objects.create(event="core.Gone", handler="apps.core.gone", payload={})


@pytest.fixture
def dead(letter):
    OutboxMessage.objects.filter(pk=letter.pk).update(dead_at=timezone.now(), attempts=12, last_error="LookupError")
    letter.refresh_from_db()
    return letter


def staff(*rights):
    user = get_user_model().objects.create_user(username="bobur", password="quiet-garden-42", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="core", codename__in=rights))
    return user


def request(method="get", **given):
    asked = getattr(RequestFactory(), method)("/admin/core/outboxmessage/", given)
    asked.user = get_user_model().objects.create_superuser(username="root", password="quiet-garden-42", language="en")
    asked.session, asked._messages = {}, CookieStorage(asked)
    return asked


def said(asked):
    return [(message.level, str(message)) for message in messages.get_messages(asked)]


def ask(asked, letter, deed):
    return admin.site._registry[OutboxMessage].ask_reason(asked, letter, title="Burn the letter", deed=deed)


def test_a_deed_that_works_says_so():
    asked = request()
    assert run_action(asked, lambda: None, "Burnt") is True
    assert said(asked) == [(messages.SUCCESS, "Burnt")]


def test_a_refusal_becomes_a_message():
    def refuse():
        raise Closed(hour=9)

    asked = request()
    assert run_action(asked, refuse) is False
    assert said(asked) == [(messages.ERROR, "Closed until 9")]


def test_an_unexpected_fault_stays_loud():
    with pytest.raises(ZeroDivisionError):
        run_action(request(), lambda: 1 / 0)


def test_the_first_visit_asks_and_does_nothing(letter):
    calls = []
    answer = ask(request(), letter, lambda obj, **more: calls.append(more))
    assert (answer.status_code, calls) == (200, [])
    assert b"Burn the letter" in answer.content
    assert re.search(rb'<textarea[^>]*name="reason"', answer.content)


@pytest.mark.parametrize("reason", ["", "  ", "no", "x" * 501])
def test_without_a_proper_reason_nothing_is_done(letter, reason):
    calls = []
    answer = ask(request("post", reason=reason), letter, lambda obj, **more: calls.append(more))
    assert (answer.status_code, calls) == (200, [])


def test_a_reason_goes_to_the_deed_with_the_one_who_gave_it(letter):
    calls = []
    asked = request("post", reason=" it was wrong ")
    answer = ask(asked, letter, lambda obj, **more: calls.append((obj, more)))
    assert calls == [(letter, {"by": asked.user, "reason": "it was wrong"})]
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/core/outboxmessage/{letter.pk}/change/")
    [line] = LogEntry.objects.all()
    assert (line.user, line.object_id) == (asked.user, str(letter.pk))
    assert line.change_message == "Burn the letter: it was wrong"


def test_the_reason_outlives_the_row_it_was_about(letter):
    key = letter.pk
    ask(request("post", reason="it was wrong"), letter, lambda obj, **more: obj.delete())
    assert [line.object_id for line in LogEntry.objects.all()] == [str(key)]


def test_a_refused_deed_goes_back_with_its_words(letter):
    def refuse(obj, **more):
        raise Closed(hour=9)

    asked = request("post", reason="it was wrong")
    assert ask(asked, letter, refuse).status_code == 302
    assert not LogEntry.objects.exists()
    assert said(asked) == [(messages.ERROR, "Closed until 9")]


def revive(client, letter):
    return client.post(reverse(SCREEN), {"action": "revive_selected", "_selected_action": [letter.pk]})


def test_whoever_may_change_messages_revives_a_dead_letter(client, dead):
    client.force_login(staff("view_outboxmessage", "change_outboxmessage"))
    assert revive(client, dead).status_code == 302
    dead.refresh_from_db()
    assert (dead.state, dead.attempts, dead.last_error) == ("waiting", 0, "")


def test_whoever_may_only_look_cannot_revive(client, dead):
    client.force_login(staff("view_outboxmessage"))
    revive(client, dead)
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == ("dead", 12)


def test_staff_without_rights_do_not_see_the_screen(client, dead):
    client.force_login(staff())
    assert client.get(reverse(SCREEN)).status_code == 403


def test_a_message_cannot_be_added_edited_or_deleted(client, letter):
    client.force_login(staff("view_outboxmessage", "change_outboxmessage", "delete_outboxmessage", "add_outboxmessage"))
    page = reverse("admin:core_outboxmessage_change", args=[letter.pk])
    assert client.post(page, {"event": "core.Other"}).status_code == 403
    assert client.post(reverse("admin:core_outboxmessage_delete", args=[letter.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:core_outboxmessage_add")).status_code == 403
    letter.refresh_from_db()
    assert letter.event == "core.Gone"


@pytest.mark.parametrize(("state", "count"), [("waiting", 0), ("delivered", 0), ("dead", 1), ("nonsense", 1)])
def test_the_list_filters_by_state(client, dead, state, count):
    client.force_login(staff("view_outboxmessage"))
    answer = client.get(reverse(SCREEN), {"state": state})
    assert len(answer.context["cl"].result_list) == count
