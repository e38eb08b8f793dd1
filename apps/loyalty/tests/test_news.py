"""News: who sees what when, and managers' deeds (contract loyalty 1.5, rows 43 to 46)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.core.testing import query_budget
from apps.loyalty.models import News
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def boss(malika) -> Caller:
    return Caller(malika)


def piece(title: str = "Palov day", **fields: object) -> News:
    return News.objects.create(**{"title": title, "description": "Come at noon", **fields})


def titles() -> list[str]:
    return [row["title"] for row in Caller().get("news").json()]


class TestReading:
    def test_important_first_then_the_newest_inside_the_window(self):
        now = timezone.now()
        piece("old", created_at=now - HOUR)
        piece("new")
        piece("important", priority=3, starts_at=now - HOUR, ends_at=now + HOUR)
        piece("over", ends_at=now - HOUR)
        piece("to come", starts_at=now + HOUR)
        with query_budget(2):
            assert titles() == ["important", "new", "old"]
        with query_budget(0):
            titles()

    def test_a_bare_list_whatever_pages_are_asked_for(self):
        made = piece(created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        assert Caller().get("news?page=7&page_size=1").json() == [
            {
                "id": made.pk,
                "title": "Palov day",
                "description": "Come at noon",
                "image_url": None,
                "starts_at": None,
                "ends_at": None,
                "priority": 0,
                "created_at": "2026-01-02T03:04:05Z",
                "link": f"/api/v1/news/{made.pk}",
            }
        ]

    def test_bytes_hold_no_longer_than_the_window(self):
        piece(starts_at=timezone.now() + timedelta(seconds=10), ends_at=timezone.now() + timedelta(seconds=20))
        assert titles() == []
        for seconds, wanted in ((12, ["Palov day"]), (22, [])):
            with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True):
                assert titles() == wanted

    def test_one(self):
        shown, hidden = piece(), piece(starts_at=timezone.now() + HOUR)
        assert Caller().get(f"news/{shown.pk}").json()["title"] == "Palov day"
        assert Caller().get(f"news/{hidden.pk}").status_code == 404
        assert Caller().get("news/x").status_code == 422

    def test_who_has_it_gets_304(self):
        etag = Caller().get("news")["ETag"]
        assert Caller().get("news", **{"If-None-Match": f'"x", W/{etag}'}).status_code == 304

    def test_a_guest_with_a_token_reads_too(self, gulnora):
        piece()
        assert len(Caller(gulnora).get("news").json()) == 1

    def test_managers_see_all(self, boss, vali):
        piece("to come", starts_at=timezone.now() + HOUR)
        assert [row["title"] for row in boss.get("news/all").json()] == ["to come"]
        assert (Caller(vali).get("news/all").status_code, Caller().get("news/all").status_code) == (403, 401)


class TestWriting:
    @pytest.mark.parametrize(
        ("given", "kept"), [("low", 0), ("normal", 1), ("Medium", 1), ("high", 2), ("urgent", 3), (7, 7), ("5", 5)]
    )
    def test_priorities(self, boss, given, kept):
        answer = boss.post("news", {"title": "t", "description": "d", "priority": given})
        assert (answer.status_code, answer.json()["priority"]) == (200, kept)

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("2026-03-08", "2026-03-08T00:00:00Z"),
            ("2026-03-08T10:00:00+05:00", "2026-03-08T05:00:00Z"),
            ("2026-03-08T10:00:00", "2026-03-08T10:00:00Z"),
            ("", None),
            (None, None),
        ],
    )
    def test_moments(self, boss, given, kept):
        answer = boss.post("news", {"title": "t", "description": "d", "starts_at": given, "image_url": ""})
        assert (answer.status_code, answer.json()["starts_at"], answer.json()["image_url"]) == (200, kept, None)

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": ""},
            {"title": "x" * 256},
            {"title": None},
            {"description": None},
            {"priority": "later"},
            {"priority": 2**31},
            {"starts_at": "soon"},
            {"starts_at": "0001-01-01T00:00:00+14:00"},
            {"ends_at": "9999-12-31T23:59:59-14:00"},
            {"image_url": "u" * 501},
        ],
    )
    def test_malformed(self, boss, changes):
        assert boss.post("news", {"title": "t", "description": "d", **changes}).status_code == 422
        assert News.objects.count() == 0

    @pytest.mark.parametrize("verb", ["put", "patch"])
    def test_only_what_is_given_changes(self, boss, verb):
        made = piece(image_url="a.jpg", ends_at=timezone.now() + HOUR, priority=2)
        answer = getattr(boss, verb)(f"news/{made.pk}", {"title": "New", "description": None, "priority": None})
        assert answer.status_code == 200
        told = answer.json()
        assert (told["title"], told["description"], told["image_url"], told["priority"]) == (
            *("New", "Come at noon"),
            *("a.jpg", 2),
        )
        cleared = getattr(boss, verb)(f"news/{made.pk}", {"ends_at": "", "image_url": ""}).json()
        assert (cleared["ends_at"], cleared["image_url"]) == (None, None)

    def test_taken_down(self, boss):
        made = piece()
        assert boss.delete(f"news/{made.pk}").status_code == 204
        assert (boss.delete(f"news/{made.pk}").status_code, boss.put(f"news/{made.pk}", {}).status_code) == (404, 404)

    def test_managers_only(self, vali, gulnora):
        made = piece()
        for caller, status in ((Caller(), 401), (Caller(vali), 403), (Caller(gulnora), 403)):
            assert caller.post("news", {"title": "t", "description": "d"}).status_code == status
            assert caller.put(f"news/{made.pk}", {"title": "t"}).status_code == status
            assert caller.delete(f"news/{made.pk}").status_code == status
        made.refresh_from_db()
        assert (made.title, News.objects.count()) == ("Palov day", 1)


@pytest.mark.django_db(transaction=True)
def test_a_write_is_seen_at_once(malika):
    boss = Caller(malika)
    assert titles() == []
    made = boss.post("news", {"title": "one", "description": "d"}).json()
    assert titles() == ["one"]
    boss.patch(f"news/{made['id']}", {"title": "two"})
    assert titles() == ["two"]
    boss.delete(f"news/{made['id']}")
    assert titles() == []
