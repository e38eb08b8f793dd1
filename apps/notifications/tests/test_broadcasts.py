"""One message to many: exactly once each, whatever stops it in the middle."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.core.testing import assert_refused, race
from apps.core.texts import Text
from apps.notifications import actions, channels, queries
from apps.notifications.actions import broadcasts
from apps.notifications.models import Broadcast, BroadcastProgress, Delivery, Notification
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db


def crowd(count: int) -> list[User]:
    return [person(f"p{number}") for number in range(count)]


def begin(**fields) -> Broadcast:
    given = {"by": None, "product": PRODUCT, "segment": "named", "title": "Hello", "segment_facts": {"prefix": "p"}}
    return actions.broadcast(**{**given, **fields})


def progress(broadcast: Broadcast) -> tuple[str, int, int]:
    broadcast.refresh_from_db()
    return broadcast.status, broadcast.progress.told_count, broadcast.progress.people_count


def test_everyone_in_the_segment_is_told_once_in_their_language():
    people = crowd(7)
    person("outsider")
    person("p-blocked", is_active=False)
    User.objects.filter(pk=people[0].pk).update(language="uz")
    going = begin(kind="sale", title=Text(ru="Скидка", uz="Chegirma", en="Sale"), body={"en": "today"})
    assert [actions.advance(broadcast_id=going.pk, batch=3) for _ in range(4)] == [3, 3, 1, None]
    going = Broadcast.objects.select_related("progress").get(pk=going.pk)
    assert progress(going) == ("finished", 7, 7)
    assert sorted(Notification.objects.values_list("user_id", flat=True)) == [user.pk for user in people]
    assert sorted(Notification.objects.values_list("title", flat=True)) == ["Chegirma"] + ["Sale"] * 6
    assert set(Delivery.objects.values_list("channel", "priority")) == {("bot", 1)}
    assert queries.delivery_counts(going) == {"queued": 7}
    actions.mark_all_read(by=people[0], product=PRODUCT)
    assert queries.read_count(going) == 1


def test_pause_resume_goes_on_where_it_stopped():
    crowd(5)
    going = begin()
    assert actions.advance(broadcast_id=going.pk, batch=2) == 2
    actions.pause(by=None, broadcast_id=going.pk)
    assert actions.advance(broadcast_id=going.pk, batch=2) is None
    assert Notification.objects.count() == 2
    actions.resume(by=None, broadcast_id=going.pk)
    assert actions.run_due() == 3
    assert progress(going) == ("finished", 5, 5)
    assert Notification.objects.count() == 5


def test_a_batch_that_dies_is_told_again_whole(monkeypatch):
    crowd(4)
    going = begin()
    actions.advance(broadcast_id=going.pk, batch=2)
    real = queries.switched
    monkeypatch.setattr(queries, "switched", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        actions.advance(broadcast_id=going.pk, batch=2)
    assert (Notification.objects.count(), progress(going)) == (2, ("running", 2, 4))
    monkeypatch.setattr(queries, "switched", real)
    actions.run_due()
    assert (Notification.objects.count(), progress(going)) == (4, ("finished", 4, 4))


def test_a_cursor_that_was_set_back_tells_nobody_twice():
    crowd(3)
    going = begin()
    actions.advance(broadcast_id=going.pk, batch=2)
    BroadcastProgress.objects.update(cursor=0)
    actions.run_due()
    assert (Notification.objects.count(), progress(going)) == (3, ("finished", 3, 3))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_six_workers_tell_everyone_once():
    crowd(60)
    going = begin()

    def work(_: int) -> None:
        for _attempt in range(60):
            actions.advance(broadcast_id=going.pk, batch=5)

    race(6, work)
    actions.run_due()
    assert (Notification.objects.count(), progress(going)) == (60, ("finished", 60, 60))


def test_the_same_key_is_one_broadcast():
    crowd(2)
    first, again = begin(key="news:1"), begin(key="news:1", title="other")
    assert first.pk == again.pk
    assert actions.run_due() == 2


def test_a_draft_waits_for_its_start():
    crowd(1)
    draft = begin(is_started=False)
    assert actions.run_due() == 0
    actions.start(by=None, broadcast_id=draft.pk)
    assert actions.run_due() == 1


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        ("draft", {"start", "cancel"}),
        ("running", {"pause", "cancel"}),
        ("paused", {"resume", "start", "cancel"}),
        ("finished", set()),
        ("cancelled", set()),
    ],
)
def test_the_table_of_steps(status, allowed):
    for name in ("start", "pause", "resume", "cancel"):
        going = begin(is_started=False)
        Broadcast.objects.filter(pk=going.pk).update(status=status)
        deed = getattr(actions, name)
        if name in allowed:
            assert deed(by=None, broadcast_id=going.pk).status != status
            continue
        refused = assert_refused(
            actions.IllegalBroadcastStep,
            lambda deed=deed, going=going: deed(by=None, broadcast_id=going.pk),
            unchanged=[Broadcast.objects.all(), Notification.objects.all()],
        )
        assert (refused.status, refused.code) == (409, "illegal_broadcast_step")


def test_an_unknown_segment_is_refused():
    refused = assert_refused(
        actions.UnknownSegment, lambda: begin(segment="everyone on earth"), unchanged=[Broadcast.objects.all()]
    )
    assert (refused.status, refused.code) == (422, "unknown_segment")


def test_withdrawing_bit_by_bit():
    crowd(5)
    going = begin()
    actions.run_due()
    taken = [actions.withdraw(by=None, broadcast_id=going.pk, limit=2) for _ in range(4)]
    assert taken == [2, 2, 1, 0]
    assert Notification.objects.count() == 0


def test_new_words_for_whoever_was_not_told_yet():
    crowd(2)
    going = begin(body="old")
    actions.advance(broadcast_id=going.pk, batch=1)
    actions.reword(by=None, broadcast_id=going.pk, title="New", body={"ru": "new"})
    actions.advance(broadcast_id=going.pk, batch=1)
    assert list(Notification.objects.order_by("user_id").values_list("title", "body")) == [
        *[("Hello", "old"), ("New", "new")],
    ]


def test_withdrawing_empties_the_inboxes_and_stops():
    crowd(4)
    other = begin(key="other")
    actions.run_due()
    going = begin()
    actions.advance(broadcast_id=going.pk, batch=2)
    assert actions.withdraw(by=None, broadcast_id=going.pk, reason="a mistake") == 2
    going.refresh_from_db()
    assert going.status == "cancelled"
    assert set(Notification.objects.values_list("broadcast_id", flat=True)) == {other.pk}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_withdrawn_during_a_batch_leaves_nothing_behind(monkeypatch):
    """Contract loyalty 1.6, row 59: what the batch has written, nobody else sees before its end."""
    crowd(6)
    is_written, real = threading.Event(), broadcasts.tell_many

    def slowly(**given):
        rows = real(**given)
        is_written.set()
        time.sleep(1)
        return rows

    def deed(number: int):
        if number == 0:
            return begin() and "told after the commit"
        assert is_written.wait(30)
        return actions.withdraw(by=None, broadcast_id=Broadcast.objects.get().pk)

    monkeypatch.setattr(broadcasts, "tell_many", slowly)
    assert race(2, deed) == ["told after the commit", 6]
    monkeypatch.undo()
    assert actions.run_due() == 0
    assert (Broadcast.objects.get().status, Notification.objects.count()) == ("cancelled", 0)


def test_a_batch_that_begins_while_it_is_withdrawn_tells_nobody():
    """The worker has just locked its row, in a snapshot in which the broadcast still ran."""
    crowd(2)
    going = begin()

    def withdraw_meanwhile(execute, sql, params, many, context):
        found = execute(sql, params, many, context)
        if sql.startswith("SELECT") and 'FROM "notifications_broadcastprogress"' in sql:
            Broadcast.objects.filter(pk=going.pk).update(status="cancelled")
        return found

    with connection.execute_wrapper(withdraw_meanwhile):
        assert actions.advance(broadcast_id=going.pk) is None
    assert Notification.objects.count() == 0


def test_registers():
    assert [kind.name for kind in channels.kinds(PRODUCT)] == ["sale", "alarm", "letter"]
    assert [found.name for found in channels.segments(PRODUCT)] == ["named"]
    assert PRODUCT in channels.products()
    with pytest.raises(ValueError, match="pigeon"):
        channels.register_kind("x", ("pigeon",), "x", product=PRODUCT)
