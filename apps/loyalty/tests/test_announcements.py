"""Messages to every guest: REST, the broadcast behind them, newcomers (contract loyalty 1.6, rows 55 to 59; 3.10)."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.testing import assert_refused, deliver, query_budget, race
from apps.loyalty import errors
from apps.loyalty.actions import announcements, clients, messages
from apps.loyalty.models import Announcement
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller
from apps.notifications import actions as notifications
from apps.notifications.actions import broadcasts
from apps.notifications.models import Broadcast, Notification

pytestmark = pytest.mark.django_db


def inbox(client) -> list[str]:
    return [row["title"] for row in Caller(client).get("notifications/me").json()]


def run() -> int:
    return notifications.run_due()


@pytest.fixture
def boss(malika) -> Caller:
    return Caller(malika)


class TestRest:
    def test_story(self, boss):
        made = boss.post("notifications", {"title": "Holiday", "description": "Closed on Monday"})
        assert made.status_code == 200
        first = made.json()
        assert first == {**first, "title": "Holiday", "description": "Closed on Monday"}
        assert set(first) == {"id", "title", "description", "created_at"}
        path = f"notifications/{first['id']}"
        assert boss.get(path).json() == first
        for verb in (boss.put, boss.patch):
            assert verb(path, {"title": "Feast", "description": None}).json() == {**first, "title": "Feast"}
        assert boss.get("notifications").json() == {
            "pagination": {"page": 1, "size": 20, "total": 1},
            "items": [{**first, "title": "Feast"}],
        }
        assert boss.delete(path).status_code == 204
        assert [
            boss.get(path).status_code,
            boss.delete(path).status_code,
            boss.put(path, {"title": "x"}).status_code,
        ] == [404] * 3
        assert boss.get("notifications").json()["items"] == []

    @pytest.mark.parametrize("body", [{}, {"title": None}, {"other": 1}])
    def test_nothing_sent(self, boss, malika, body):
        made = announcements.announce(by=malika, title="t", description="d")
        answer = boss.put(f"notifications/{made.pk}", body)
        assert (answer.status_code, set(answer.json()["detail"])) == (400, {"ru", "uz"})

    @pytest.mark.parametrize(
        "body", [{}, {"title": "t"}, {"title": "", "description": "d"}, {"title": "x" * 256, "description": "d"}]
    )
    def test_malformed(self, boss, body):
        assert boss.post("notifications", body).status_code == 422
        assert not Announcement.objects.exists() and not Broadcast.objects.exists()

    def test_managers_only(self, vali, gulnora, malika):
        made = announcements.announce(by=malika, title="t", description="d")
        for caller, status in ((Caller(), 401), (Caller(vali), 403), (Caller(gulnora), 403)):
            assert caller.get("notifications").status_code == status
            assert caller.post("notifications", {"title": "t", "description": "d"}).status_code == status
            for verb in ("GET", "PUT", "PATCH", "DELETE"):
                assert caller(verb, f"notifications/{made.pk}", {"title": "x"}).status_code == status
        assert Announcement.objects.get().title == "t"

    def test_words_are_no_ids(self, boss):
        assert boss.get("notifications/ws").status_code == 404

    def test_constant_queries(self, boss, malika):
        for number in range(25):
            Announcement.objects.create(title=f"{number}", description="d")
        with query_budget(4):
            assert len(boss.get("notifications?page_size=25").json()["items"]) == 25

    def test_a_waiter_may_not_in_the_action_either(self, vali):
        rows = [Announcement.objects.all(), Broadcast.objects.all()]
        assert_refused(
            errors.ManagersOnly, lambda: announcements.announce(by=vali, title="t", description="d"), unchanged=rows
        )


class TestTelling:
    def test_every_living_guest_once(self, malika, gulnora, jasur):
        gone = cast.guest("Gone", cast.PHONES["newcomer"])
        clients.delete(by=gone)
        announcements.announce(by=malika, title="Holiday", description="d")
        assert run() == 2
        assert run() == 0
        assert (inbox(gulnora), inbox(jasur)) == (["Holiday"], ["Holiday"])
        assert Broadcast.objects.get().status == "finished"

    def test_killed_in_the_middle_it_goes_on_and_nobody_hears_twice(self, malika):
        guests = [cast.guest(f"G{n}", f"+99890444{n:04d}") for n in range(25)]
        made = announcements.announce(by=malika, title="Holiday", description="d").broadcast
        notifications.advance(broadcast_id=made.pk, batch=10)

        def die(execute, sql, params, many, context):
            """The rows of the batch are written, the cursor is about to move."""
            if sql.startswith('UPDATE "notifications_broadcastprogress"'):
                assert Notification.objects.count() == 20
                raise KeyboardInterrupt
            return execute(sql, params, many, context)

        with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(die):
            notifications.advance(broadcast_id=made.pk, batch=10)
        assert Notification.objects.count() == 10
        while notifications.advance(broadcast_id=made.pk, batch=10) is not None:
            pass
        told = list(Notification.objects.values_list("user_id", flat=True))
        assert sorted(told) == sorted({guest.user_id for guest in guests})
        made.progress.refresh_from_db()
        assert (made.progress.people_count, made.progress.told_count) == (25, 25)

    def test_new_words_for_whoever_was_not_told_yet(self, malika, gulnora, jasur):
        made = announcements.announce(by=malika, title="Holiday", description="d")
        notifications.advance(broadcast_id=made.broadcast_id, batch=1)
        announcements.change(by=malika, announcement_id=made.pk, changes={"title": "Feast"})
        run()
        assert sorted([*inbox(gulnora), *inbox(jasur)]) == ["Feast", "Holiday"]

    def test_taken_back_out_of_the_inboxes(self, malika, gulnora, jasur):
        made = announcements.announce(by=malika, title="Holiday", description="d")
        run()
        announcements.delete(by=malika, announcement_id=made.pk)
        assert (inbox(gulnora), inbox(jasur)) == ([], [])

    def test_a_large_one_goes_out_bit_by_bit(self, malika, monkeypatch):
        monkeypatch.setattr(announcements, "WITHDRAWN_AT_ONCE", 2)
        guests = [cast.guest(f"G{n}", f"+99890444{n:04d}") for n in range(5)]
        made = announcements.announce(by=malika, title="Holiday", description="d")
        run()
        announcements.delete(by=malika, announcement_id=made.pk)
        assert Notification.objects.count() == 3
        assert announcements.withdraw_due() == 3
        assert [inbox(guest) for guest in guests] == [[]] * 5
        assert announcements.withdraw_due() == 0

    @pytest.mark.race
    def test_taken_back_during_its_first_batch(self, malika, gulnora, jasur, monkeypatch):
        is_written, real = threading.Event(), broadcasts.tell_many

        def slowly(**given):
            rows = real(**given)
            is_written.set()
            time.sleep(1)
            return rows

        def deed(number: int) -> object:
            if number == 0:
                return announcements.announce(by=malika, title="Holiday", description="d").title
            assert is_written.wait(30)
            return announcements.delete(by=malika, announcement_id=Announcement.objects.get().pk)

        monkeypatch.setattr(broadcasts, "tell_many", slowly)
        assert race(2, deed) == ["Holiday", None]
        assert Notification.objects.count() == 0
        announcements.withdraw_due()
        assert (inbox(gulnora), inbox(jasur)) == ([], [])

    def test_taken_back_before_it_was_told(self, malika, gulnora):
        made = announcements.announce(by=malika, title="Holiday", description="d")
        announcements.delete(by=malika, announcement_id=made.pk)
        assert run() == 0
        assert inbox(gulnora) == []

    @pytest.mark.parametrize(
        ("segment", "facts", "told"), [("clients", {}, 2), ("clients_of_level", {"level": "GOLD"}, 1)]
    )
    def test_groups(self, malika, gulnora, jasur, segment, facts, told):
        cast.Client.objects.filter(pk=jasur.pk).update(level="GOLD")
        notifications.broadcast(by=malika, product="loyalty", segment=segment, title="t", segment_facts=facts)
        assert run() == told

    def test_guests_of_a_waiter(self, malika, gulnora, jasur, vali):
        facts = {"waiter_id": vali.pk}
        notifications.broadcast(
            by=malika, product="loyalty", segment=messages.OF_WAITER, title="t", segment_facts=facts
        )
        assert run() == 1
        assert (inbox(gulnora), inbox(jasur)) == (["t"], [])


class TestNewcomers:
    def test_they_find_the_earlier_ones_once(self, malika):
        for number in range(22):
            announcements.announce(by=malika, title=f"n{number}", description="d")
        gone = announcements.announce(by=malika, title="gone", description="d")
        announcements.delete(by=malika, announcement_id=gone.pk)
        newcomer = cast.guest("Nodir", cast.PHONES["newcomer"])
        deliver()
        assert inbox(newcomer) == [f"n{number}" for number in range(21, 1, -1)]
        announcements.welcome(client_id=newcomer.pk)
        run()
        assert sorted(inbox(newcomer)) == sorted(f"n{number}" for number in range(22))

    def test_a_cancelled_one_is_not_among_them(self, malika):
        kept = announcements.announce(by=malika, title="kept", description="d")
        stopped = announcements.announce(by=malika, title="stopped", description="d")
        notifications.cancel(by=None, broadcast_id=stopped.broadcast_id)
        newcomer = cast.guest("Nodir", cast.PHONES["newcomer"])
        deliver()
        assert inbox(newcomer) == [kept.title]

    def test_silently(self, malika):
        announcements.announce(by=malika, title="old", description="d")
        newcomer = cast.guest("Nodir", cast.PHONES["newcomer"])
        deliver()
        row = Notification.objects.get(user=newcomer.user)
        assert (row.goes_live, row.deliveries.count()) == (False, 0)

    def test_who_left_gets_nothing(self, malika, gulnora):
        announcements.announce(by=malika, title="old", description="d")
        clients.delete(by=gulnora, now=timezone.now())
        assert announcements.welcome(client_id=gulnora.pk) == 0
