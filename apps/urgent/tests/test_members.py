"""Joining, counters, blocking, the nightly self-check; endpoints 10 to 14 (contract urgent 1.1, 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.core.testing import assert_refused, query_budget
from apps.urgent import errors
from apps.urgent.actions import members, orders, takes
from apps.urgent.models import City, Member, Review
from apps.urgent.queries import members as questions
from apps.urgent.tasks.orders import check_member_figures
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller


def test_a_person_joins_on_first_sight(db: None) -> None:
    caller = Caller(
        token=cast.init_data(cast.FAR_AWAY_ID, "Гуля", last_name="Каримова", username="gulya", language_code="uz")
    )
    answer = caller.get("users/me")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": cast.FAR_AWAY_ID,
            "first_name": "Гуля",
            "last_name": "Каримова",
            "username": "gulya",
            "completed_orders": 0,
            "active_orders": 0,
            "rating": 0.0,
            "balance": 0,
        },
    )
    assert '"rating":0.0' in answer.content.decode()
    assert Member.objects.get(pk=cast.FAR_AWAY_ID).user.telegram_id == cast.FAR_AWAY_ID


def test_the_name_is_kept_fresh_and_absent_parts_are_null(db: None) -> None:
    Caller(token=cast.init_data(cast.AZIZ, "Old", last_name="Name", username="old_name")).get("users/me")
    profile = Caller(token=cast.init_data(cast.AZIZ, "New")).get("users/me").json()
    assert (profile["first_name"], profile["last_name"], profile["username"]) == ("New", None, None)
    assert User.objects.count() == 1


def test_a_member_needs_a_telegram_id(db: None) -> None:
    with pytest.raises(ValueError, match="Telegram"):
        members.join(user=User.objects.create_user(username="staff"))


def test_counters_never_go_below_zero(aziz: Member, bek: Member) -> None:
    members.shift(ids=[aziz.pk, bek.pk, aziz.pk], active=-1, completed=1)
    assert list(Member.objects.order_by("pk").values_list("active_orders_count", "completed_orders_count")) == [
        (0, 1),
        (0, 1),
    ]


def test_blocking_needs_the_right_and_a_reason(aziz: Member) -> None:
    boss = cast.staff()
    rows = [Member.objects.all()]
    assert_refused(
        errors.NotAModerator, lambda: members.block(by=aziz.user, member_id=aziz.pk, reason="x"), unchanged=rows
    )
    assert_refused(errors.ReasonNeeded, lambda: members.block(by=boss, member_id=aziz.pk, reason=" "), unchanged=rows)
    first = members.block(by=boss, member_id=aziz.pk, reason=" spam ")
    again = members.block(by=boss, member_id=aziz.pk, reason="other")
    assert (again.blocked_at, again.block_reason) == (first.blocked_at, "spam")
    assert not members.unblock(by=boss, member_id=aziz.pk, reason="talked").is_blocked


def test_a_blocked_member_reads_but_does_not_trade(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    members.block(by=cast.staff(), member_id=bek.pk, reason="spam")
    caller = Caller(bek)
    assert caller.get("orders?status=active").json()["total"] == 1
    refused = caller.post(f"orders/{order.pk}/take")
    assert (refused.status_code, refused.json()["code"]) == (403, "member_blocked")
    assert cast.balance(bek) == 100


def lived_in_world(aziz: Member, bek: Member, dina: Member) -> None:
    """One order completed with a review, one active with two takes, one closed, one deleted."""
    done, active, closed, deleted = (cast.place(aziz) for _ in range(4))
    cast.take(bek, done)
    orders.complete(by=aziz, order_id=done.pk)
    for who in (bek, dina):
        cast.take(who, active)
    cast.take(dina, closed)
    orders.close(by=aziz, order_id=closed.pk)
    orders.delete(by=aziz, order_id=deleted.pk)
    Review.objects.create(order=done, client=aziz, executor=bek, rating=4)
    Review.objects.create(order=active, client=aziz, executor=bek, rating=1, status="hidden")
    Member.objects.filter(pk=bek.pk).update(average_rating=4.0)


def test_the_self_check_finds_nothing_after_a_real_life(aziz: Member, bek: Member, dina: Member) -> None:
    lived_in_world(aziz, bek, dina)
    assert questions.mismatches() == []
    assert list(Member.objects.order_by("pk").values_list("active_orders_count", "completed_orders_count")) == [
        (1, 1),
        (1, 1),
        (1, 0),
    ]


def test_the_self_check_finds_and_repairs_what_is_off(aziz: Member, bek: Member, dina: Member) -> None:
    lived_in_world(aziz, bek, dina)
    Member.objects.filter(pk=bek.pk).update(active_orders_count=9, average_rating=5.0)
    Member.objects.filter(pk=dina.pk).update(completed_orders_count=3)
    found = {(wrong.member_id, wrong.figure, wrong.stored, wrong.counted) for wrong in questions.mismatches()}
    assert found == {
        (bek.pk, "active_orders_count", 9, 1),
        (bek.pk, "average_rating", 5.0, 4.0),
        (dina.pk, "completed_orders_count", 3, 0),
    }
    assert check_member_figures() == 3
    assert check_member_figures() == 0


def test_the_self_check_asks_six_questions_whatever_the_size(aziz: Member, bek: Member, dina: Member) -> None:
    lived_in_world(aziz, bek, dina)
    with query_budget(6):
        questions.mismatches()


def test_preferences_are_replaced_in_full(aziz: Member) -> None:
    City.objects.get_or_create(name="Казань")
    City.objects.get_or_create(name="Омск")
    caller = Caller(aziz)
    assert caller.get("users/me/preferences").json() == {"categories": [], "cities": []}
    both = {"categories": ["Клининг", "Сантехника"], "cities": ["Омск", "Казань"]}
    assert caller.put("users/me/preferences", both).json() == {"success": True}
    assert caller.get("users/me/preferences").json() == both
    assert caller.put("users/me/preferences", {"cities": ["Омск"]}).status_code == 200
    assert caller.get("users/me/preferences").json() == {"categories": [], "cities": ["Омск"]}


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"categories": ["Клининг"] * 11}, ["body", "categories"]),
        ({"cities": ["Омск"] * 21}, ["body", "cities"]),
        ({"categories": ["Гадание"]}, ["body", "categories", 0]),
        ({"cities": ["Атлантида"]}, ["body", "cities", 0]),
        ({"cities": [7]}, ["body", "cities", 0]),
    ],
)
def test_bad_preferences_change_nothing(aziz: Member, body: dict[str, list[object]], loc: list[object]) -> None:
    City.objects.get_or_create(name="Омск")
    caller = Caller(aziz)
    caller.put("users/me/preferences", {"cities": ["Омск"]})
    refused = caller.put("users/me/preferences", body)
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, loc)
    assert caller.get("users/me/preferences").json() == {"categories": [], "cities": ["Омск"]}


def test_only_given_message_settings_change(aziz: Member) -> None:
    caller = Caller(aziz)
    path = "users/me/notification-settings"
    assert caller.get(path).json() == {"enabled": False, "frequency": 10}
    assert caller.put(path, {"frequency": 5}).json() == {"success": True}
    assert caller.put(path, {"enabled": "yes"}).json() == {"success": True}
    assert caller.put(path, {}).json() == {"success": True}
    assert caller.get(path).json() == {"enabled": True, "frequency": 5}
    for wrong in (4, 16, 10.5, "often"):
        assert caller.put(path, {"frequency": wrong}).status_code == 422
    assert caller.get(path).json() == {"enabled": True, "frequency": 5}


def test_the_figures_of_the_profile_follow_life(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    takes.take(by=bek, order_id=order.pk)
    profile = Caller(bek).get("users/me").json()
    assert (profile["balance"], profile["active_orders"], profile["completed_orders"]) == (98, 1, 0)
    orders.complete(by=aziz, order_id=order.pk, now=timezone.now() + timedelta(minutes=1))
    profile = Caller(bek).get("users/me").json()
    assert (profile["balance"], profile["active_orders"], profile["completed_orders"]) == (98, 0, 1)
