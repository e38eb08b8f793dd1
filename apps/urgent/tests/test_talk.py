"""Who is told what: announcements with their pause, order and money messages, e-mail, browsers (contract urgent
3.6, 4.3, 8.18, 8.21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.testing import deliver, race
from apps.integrations.sandbox import recorder, vendors
from apps.notifications import actions as notifications
from apps.notifications.models import Delivery, Device, Notification
from apps.urgent.actions import announcements, orders, reviews, subscriptions, takes
from apps.urgent.models import Announcement, City, MailBox, Member, Order
from apps.urgent.queries import cities
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller
from apps.urgent.tests.talking import said_to, talk


@pytest.fixture(autouse=True)
def _english(settings: Settings) -> Iterator[None]:
    """Messages in the language of the person; the tests' people read English."""
    settings.LANGUAGE_CODE = "en"
    yield


@pytest.fixture
def towns(db: None) -> None:
    for name in ("Москва", "Казань"):
        City.objects.get_or_create(name=name)
    cities.forget()


def listen(member: Member, *, categories: Any = ("Сантехника",), towns: Any = ("Москва",), frequency: int = 10) -> None:
    type(member.user).objects.filter(pk=member.user_id).update(language="en")
    member.user.refresh_from_db()
    subscriptions.set_preferences(by=member, categories=categories, cities=towns)
    subscriptions.set_notification_settings(by=member, enabled=True, frequency=frequency)


# New orders -----------------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_a_new_order_is_announced_with_a_deep_link(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    order = cast.place(aziz, contact="@secret_one")
    talk()
    assert said_to(bek.pk) == [
        f"🔔 New order: «Сантехника», Москва\n\nhttps://t.me/mahalla_demo_bot?startapp=order_{order.pk}"
    ]
    bek.refresh_from_db()
    assert bek.last_notified_at is not None
    assert Announcement.objects.get().status == "sent"
    told = Notification.objects.get(user=bek.user, kind="new_order")
    assert "@secret_one" not in str(vars(told)) and cast.DESCRIPTION not in str(vars(told))


def test_without_a_bot_name_the_message_says_to_open_the_app(
    aziz: Member, bek: Member, towns: None, settings: Settings
) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, telegram_bot_username="")
    settings.URGENT = replace(settings.URGENT, bot_username="")
    listen(bek)
    cast.place(aziz)
    talk()
    assert said_to(bek.pk) == ["🔔 New order: «Сантехника», Москва\n\nOpen the app to see it"]


def test_only_those_who_want_it_hear_of_it(
    aziz: Member, bek: Member, dina: Member, emil: Member, farid: Member, towns: None
) -> None:
    listen(aziz)
    listen(bek, categories=("Клининг",))
    listen(dina, towns=("Казань",))
    listen(emil, categories=())
    listen(farid)
    subscriptions.set_notification_settings(by=farid, enabled=False)
    cast.place(aziz)
    talk()
    assert [said_to(pk) for pk in (aziz.pk, bek.pk, dina.pk, emil.pk, farid.pk)] == [[], [], [], [], []]
    assert not Announcement.objects.exists()


def test_blocked_members_hear_nothing(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    Member.objects.filter(pk=bek.pk).update(blocked_at=timezone.now())
    cast.place(aziz)
    talk()
    assert said_to(bek.pk) == []


def test_two_orders_at_once_are_one_message_and_the_second_is_dropped(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    first, second = cast.place(aziz), cast.place(aziz)
    talk()
    assert len(said_to(bek.pk)) == 1
    assert list(Announcement.objects.values_list("order_id", flat=True)) == [first.pk]
    announcements.announce(order_id=second.pk)
    talk()
    assert len(said_to(bek.pk)) == 1


def test_after_the_pause_the_next_order_is_announced(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek, frequency=5)
    cast.place(aziz)
    talk()
    Member.objects.filter(pk=bek.pk).update(last_notified_at=timezone.now() - timedelta(minutes=4, seconds=59))
    assert announcements.announce(order_id=cast.place(aziz).pk) == 0
    talk()
    assert (len(said_to(bek.pk)), Announcement.objects.count()) == (1, 1)
    Member.objects.filter(pk=bek.pk).update(last_notified_at=timezone.now() - timedelta(minutes=5))
    cast.place(aziz)
    talk()
    assert len(said_to(bek.pk)) == 2


def test_announcing_twice_tells_once(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    order = cast.place(aziz)
    talk()
    Member.objects.filter(pk=bek.pk).update(last_notified_at=None)
    assert announcements.announce(order_id=order.pk) == 0
    talk()
    assert len(said_to(bek.pk)) == 1


def test_a_blocked_bot_switches_messages_off_and_begins_no_pause(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    vendors.telegram.blocked.add(bek.pk)
    cast.place(aziz)
    talk()
    bek.refresh_from_db()
    bek.user.refresh_from_db()
    assert (bek.notifications_enabled, bek.last_notified_at, bek.user.can_message_bot) == (False, None, False)
    assert Announcement.objects.get().status == "failed"
    subscriptions.set_notification_settings(by=bek, enabled=True)
    vendors.telegram.blocked.clear()
    cast.place(aziz)
    talk()
    assert len(said_to(bek.pk)) == 1


def test_telegrams_429_is_waited_for(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    vendors.telegram.fail_next(1, status=429, retry_after=7)
    cast.place(aziz)
    talk()
    bek.refresh_from_db()
    assert (said_to(bek.pk), bek.last_notified_at) == ([], None)
    cache.clear()  # where notifications keep that the bot rests
    later = timezone.now() + timedelta(minutes=2)
    notifications.deliver_due(now=later)
    deliver()
    bek.refresh_from_db()
    assert len(said_to(bek.pk)) == 1
    assert bek.last_notified_at is not None


def test_an_order_that_ended_meanwhile_is_not_announced(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    order = cast.place(aziz)
    announcements.announce(order_id=order.pk)
    orders.delete(by=aziz, order_id=order.pk)
    talk()
    assert said_to(bek.pk) == []
    assert Announcement.objects.get().status == "dropped"


def test_a_claim_whose_message_never_came_back_is_let_go(aziz: Member, bek: Member, towns: None) -> None:
    listen(bek)
    order = cast.place(aziz)
    assert announcements.announce(order_id=order.pk) == 1
    assert announcements.sweep() == 0
    assert announcements.sweep(now=timezone.now() + timedelta(minutes=16)) == 1
    Announcement.objects.update(created_at=timezone.now() - timedelta(days=31))
    announcements.sweep()
    assert not Announcement.objects.exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_orders_at_once_are_one_message_to_each() -> None:
    City.objects.get_or_create(name="Москва")
    listeners = [cast.member(7000 + number) for number in range(5)]
    for listener in listeners:
        listen(listener)
    posted = [cast.place(cast.member(8000 + number)) for number in range(8)]
    race(8, lambda number: announcements.announce(order_id=posted[number].pk))
    assert Announcement.objects.count() == 5
    talk()
    assert [len(said_to(listener.pk)) for listener in listeners] == [1] * 5


# Settings -------------------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_preferences_are_replaced_as_a_whole(bek: Member, towns: None) -> None:
    caller = Caller(bek)
    assert caller.get("users/me/preferences").json() == {"categories": [], "cities": []}
    body = {"categories": ["Клининг", "Другое", "Клининг"], "cities": ["Казань", "Москва"]}
    assert caller.put("users/me/preferences", body).json() == {"success": True}
    stored = {"categories": ["Клининг", "Другое"], "cities": ["Казань", "Москва"]}
    assert caller.get("users/me/preferences").json() == stored
    assert caller.put("users/me/preferences", {"cities": ["Москва"]}).json() == {"success": True}
    assert caller.get("users/me/preferences").json() == {"categories": [], "cities": ["Москва"]}


@pytest.mark.contract
@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"categories": ["Космос"]}, ["body", "categories", 0]),
        ({"cities": ["Москва", "Атлантида"]}, ["body", "cities", 1]),
        ({"categories": ["Другое"] * 11}, ["body", "categories"]),
        ({"cities": ["Москва"] * 21}, ["body", "cities"]),
        ({"cities": "Москва"}, ["body", "cities"]),
    ],
)
def test_unknown_words_are_refused_and_nothing_changes(
    bek: Member, towns: None, body: dict[str, Any], loc: list[Any]
) -> None:
    caller = Caller(bek)
    caller.put("users/me/preferences", {"categories": ["Другое"], "cities": ["Казань"]})
    answer = caller.put("users/me/preferences", body)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, loc)
    assert caller.get("users/me/preferences").json() == {"categories": ["Другое"], "cities": ["Казань"]}


@pytest.mark.contract
def test_only_given_settings_change(bek: Member) -> None:
    caller, path = Caller(bek), "users/me/notification-settings"
    assert caller.get(path).json() == {"enabled": False, "frequency": 10}
    for body, stored in (
        ({"enabled": True}, {"enabled": True, "frequency": 10}),
        ({"frequency": 5}, {"enabled": True, "frequency": 5}),
        ({}, {"enabled": True, "frequency": 5}),
        ({"enabled": False, "frequency": 15}, {"enabled": False, "frequency": 15}),
    ):
        assert caller.put(path, body).json() == {"success": True}
        assert caller.get(path).json() == stored
    for frequency in (4, 16, "x"):
        assert caller.put(path, {"frequency": frequency}).status_code == 422


# Orders, money, reviews -----------------------------------------------------------------------------------------------


@pytest.fixture
def english(aziz: Member, bek: Member) -> None:
    for member in (aziz, bek):
        member.user.language = "en"
        member.user.save()


def test_the_story_of_an_order_is_told(aziz: Member, bek: Member, english: None) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    orders.complete(by=aziz, order_id=order.pk)
    reviews.review_executor(by=aziz, order_id=order.pk, rating=5)
    talk()
    assert [text.split("\n")[0] for text in said_to(aziz.pk)] == ["Your order «Сантехника» was taken: 1 of 3"]
    assert said_to(bek.pk) == ["The order «Сантехника» is completed", "You have a new review: 5 of 5"]
    assert vendors.telegram.messages[0]["button"][1] == f"https://t.me/mahalla_demo_bot?startapp=order_{order.pk}"


def test_an_unanswered_order_tells_both_sides(aziz: Member, bek: Member, english: None) -> None:
    from apps.urgent.actions import timer

    order = cast.place(aziz, minutes_ago=20)
    cast.take(bek, order, minutes_ago=16)
    timer.settle(order_id=order.pk)
    talk()
    assert said_to(aziz.pk)[-1].startswith("Your order «Сантехника» was closed: you did not answer")
    assert said_to(bek.pk) == [
        "2 ₽ are back on your balance\n\nOrder «Сантехника»: the price of the contact was given back."
    ]


def test_an_order_that_nobody_took_tells_its_client(aziz: Member, english: None) -> None:
    from apps.urgent.actions import timer

    order = cast.place(aziz, minutes_ago=61)
    timer.settle(order_id=order.pk)
    talk()
    assert said_to(aziz.pk) == ["Nobody took your order «Сантехника» in time\n\nYou can post it again."]


def test_a_refund_by_staff_is_told(aziz: Member, bek: Member, english: None) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    talk()
    takes.refund(by=cast.staff(), take_id=order.takes.get().pk, reason="wrong number")
    talk()
    assert said_to(bek.pk)[0].startswith("2 ₽ are back on your balance")


def test_a_decision_on_a_complaint_is_told(aziz: Member, bek: Member, english: None) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    complaint = reviews.complain(by=bek, order_id=order.pk, complaint="Другое")
    reviews.resolve(by=cast.staff(), complaint=complaint, reason="true")
    talk()
    assert said_to(bek.pk) == ["Your complaint was accepted"]


def test_messages_told_twice_are_told_once(aziz: Member, bek: Member, english: None) -> None:
    from apps.urgent.actions import talk as actions

    order = cast.place(aziz)
    cast.take(bek, order)
    for _ in range(3):
        actions.tell_of_take(order_id=order.pk, executor_id=bek.pk)
    talk()
    assert len(said_to(aziz.pk)) == 1


def test_somebody_who_never_opened_the_bot_is_tried_once(aziz: Member, bek: Member) -> None:
    vendors.telegram.strangers.add(aziz.pk)
    for taker in (bek, cast.member(9001, roubles=10)):
        cast.take(taker, Order.objects.first() or cast.place(aziz))
        talk()
    assert Delivery.objects.filter(notification__user=aziz.user, channel="bot").count() == 1
    aziz.user.refresh_from_db()
    assert aziz.user.can_message_bot is False


# E-mail and browsers --------------------------------------------------------------------------------------------------


def letters() -> list[str]:
    return [message["text"] for message in recorder.messages(channel="mail", to="bek@example.com")]


def code() -> str:
    found = re.search(r"\b(\d{6})\b", letters()[0])
    assert found
    return found[1]


def test_an_address_gets_letters_only_once_it_is_proved(aziz: Member, bek: Member) -> None:
    caller = Caller(bek)
    assert caller.get("users/me/email").json() == {"email": None, "verified": False, "verified_at": None}
    assert caller.put("users/me/email", {"email": "Bek@Example.com"}).json() == {"success": True}
    deliver()
    assert len(letters()) == 1
    box = MailBox.objects.get()
    assert code() not in str(vars(box)) and box.verified_at is None
    order = cast.place(aziz)
    cast.take(bek, order)
    orders.complete(by=aziz, order_id=order.pk)
    talk()
    assert len(letters()) == 1
    assert caller.post("users/me/email/verify", {"code": code()}).json() == {"success": True}
    assert caller.get("users/me/email").json()["verified"] is True
    reviews.review_executor(by=aziz, order_id=order.pk, rating=5)
    talk()
    assert len(letters()) == 2
    assert caller.delete("users/me/email").status_code == 204
    bek.user.refresh_from_db()
    assert (bek.user.email, MailBox.objects.count()) == (None, 0)


def test_five_wrong_codes_burn_it(bek: Member) -> None:
    caller = Caller(bek)
    assert caller.post("users/me/email/verify", {"code": "000000"}).status_code == 404
    caller.put("users/me/email", {"email": "bek@example.com"})
    deliver()
    right = code()
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        assert caller.post("users/me/email/verify", {"code": wrong}).json()["code"] == "wrong_code"
    assert caller.post("users/me/email/verify", {"code": right}).status_code == 400
    assert MailBox.objects.get().verified_at is None


def test_an_old_code_is_no_good(bek: Member) -> None:
    caller = Caller(bek)
    caller.put("users/me/email", {"email": "bek@example.com"})
    deliver()
    MailBox.objects.update(code_sent_at=timezone.now() - timedelta(minutes=30))
    assert caller.post("users/me/email/verify", {"code": code()}).status_code == 400


def test_somebody_elses_address_is_refused(bek: Member) -> None:
    cast.member(9002, email="bek@example.com")
    caller = Caller(bek)
    caller.put("users/me/email", {"email": "bek@example.com"})
    deliver()
    assert caller.post("users/me/email/verify", {"code": code()}).status_code == 409
    assert MailBox.objects.get().verified_at is None


@pytest.mark.parametrize(
    "address", ["", "bek", "bek@", "@example.com", "a b@example.com", "a@b", "x" * 250 + "@example.com", 5]
)
def test_what_is_no_address_is_malformed(bek: Member, address: Any) -> None:
    assert Caller(bek).put("users/me/email", {"email": address}).status_code == 422


def test_codes_are_not_sent_without_end(bek: Member) -> None:
    answers = [Caller(bek).put("users/me/email", {"email": f"a{n}@example.com"}).status_code for n in range(6)]
    assert answers == [200] * 5 + [429]


def test_a_browser_is_pushed_to(aziz: Member, bek: Member, towns: None, settings: Settings) -> None:
    caller = Caller(bek)
    key = Caller().get("users/me/push").json()["public_key"]
    assert key == settings.INTEGRATIONS.vapid_public_key
    endpoint = "https://push.example.com/sub/1"
    keys = {"p256dh": key, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
    body = {"endpoint": endpoint, "keys": keys}
    for _ in range(2):
        assert caller.post("users/me/push", body).json() == {"success": True}
    assert Device.objects.get().user_id == bek.user_id
    listen(bek)
    cast.place(aziz)
    deliver()
    assert Delivery.objects.filter(channel="push", notification__kind="new_order").count() == 1
    for _ in range(2):
        assert caller("DELETE", "users/me/push", {"endpoint": endpoint}).status_code == 204
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"endpoint": "http://push.example.com/1", "keys": {"p256dh": "x" * 20, "auth": "y" * 20}},
        {"endpoint": "https://push.example.com/1"},
        {"endpoint": "https://user@push.example.com/1", "keys": {"p256dh": "x" * 20, "auth": "y" * 20}},
    ],
)
def test_a_malformed_subscription_is_refused(bek: Member, body: dict[str, Any]) -> None:
    assert Caller(bek).post("users/me/push", body).status_code == 422
    assert not Device.objects.exists()


def test_without_keys_there_is_no_web_push(bek: Member, settings: Settings) -> None:
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, vapid_public_key="")
    assert Caller().get("users/me/push").status_code == 503
