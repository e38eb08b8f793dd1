"""Devices and wishes: what is accepted, who owns what."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import time, timedelta

import pytest
from django.utils import timezone

from apps.core.testing import assert_refused, race
from apps.notifications import actions, queries
from apps.notifications.models import Device, Notification, QuietHours, Wish
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db

WEB = {"kind": "web", "token": "https://push.example/1", "p256dh": "key", "auth": "secret"}


def test_a_device_moves_to_whoever_registers_it_last():
    aida, bek = person(), person("bek")
    first = actions.register_device(user=aida, product=PRODUCT, **WEB)
    again = actions.register_device(user=aida, product=PRODUCT, **{**WEB, "auth": "newer"})
    moved = actions.register_device(user=bek, product=PRODUCT, **WEB)
    assert first.pk == again.pk == moved.pk
    assert Device.objects.get().user_id == bek.pk
    assert queries.devices(user_id=aida.pk, product=PRODUCT) == []


def test_the_same_token_in_two_products_is_two_devices():
    aida = person()
    for product in (PRODUCT, "other"):
        actions.register_device(user=aida, product=product, kind="fcm", token="phone")
    assert Device.objects.count() == 2


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_device_registered_by_ten_at_once_is_one():
    people = [person(f"p{number}") for number in range(10)]
    results = race(10, lambda n: actions.register_device(user=people[n], product=PRODUCT, kind="fcm", token="x").pk)
    assert len(set(results)) == 1
    assert Device.objects.count() == 1


def test_one_per_platform_where_a_client_wants_that():
    aida = person()
    actions.register_device(user=aida, product=PRODUCT, kind="fcm", token="old", platform="ios")
    actions.register_device(user=aida, product=PRODUCT, kind="fcm", token="tablet", platform="android")
    actions.register_device(
        user=aida, product=PRODUCT, kind="fcm", token="new", platform="ios", is_only_of_platform=True
    )
    assert sorted(Device.objects.values_list("address", flat=True)) == ["new", "tablet"]


def test_the_longest_unseen_devices_give_way():
    aida, start = person(), timezone.now()
    for number in range(22):
        actions.register_device(
            user=aida, product=PRODUCT, kind="fcm", token=f"t{number}", now=start + timedelta(seconds=number)
        )
    assert Device.objects.count() == 20
    assert not Device.objects.filter(address__in=["t0", "t1"]).exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "pager", "token": "x"},
        {"kind": "fcm", "token": ""},
        {"kind": "fcm", "token": "two words"},
        {"kind": "fcm", "token": "nul\x00"},
        {"kind": "fcm", "token": "x" * 2049},
        {**WEB, "token": "http://push.example/1"},
        {**WEB, "token": "https://user:word@push.example/1"},
        {**WEB, "token": "https://push.example:22/1"},
        {**WEB, "token": "https://push.example:port/1"},
        {**WEB, "token": "https://[/1"},
        {**WEB, "p256dh": ""},
        {**WEB, "auth": "x" * 65},
    ],
)
def test_a_bad_device_is_refused(bad):
    aida = person()
    refused = assert_refused(
        actions.BadDevice,
        lambda: actions.register_device(user=aida, product=PRODUCT, **bad),
        unchanged=[Device.objects.all()],
    )
    assert (refused.status, refused.code) == (422, "bad_device")


def test_a_device_is_forgotten_by_its_owner_only():
    aida, dana = person(), person("dana")
    device = actions.register_device(user=aida, product=PRODUCT, **WEB)
    assert actions.forget_device(user=dana, product=PRODUCT, token=WEB["token"]) is False
    assert actions.forget_device(user=dana, product=PRODUCT, device_id=device.pk) is False
    assert actions.forget_device(user=aida, product=PRODUCT, token=WEB["token"]) is True
    assert actions.forget_device(user=aida, product=PRODUCT, token=WEB["token"]) is False
    assert not Device.objects.exists()


def test_a_wish_is_kept_changed_and_taken_back():
    aida = person()
    for is_on in (True, False):
        actions.set_wishes(by=aida, product=PRODUCT, wishes=[{"channel": "bot", "is_on": is_on}])
        assert Wish.objects.get().is_on is is_on
    actions.set_wishes(by=aida, product=PRODUCT, wishes=[{"channel": "bot", "is_on": None}])
    assert not Wish.objects.exists()


def test_an_unknown_channel_changes_nothing():
    aida = person()
    wishes = [{"channel": "bot", "is_on": True}, {"channel": "pigeon", "is_on": True}]
    refused = assert_refused(
        actions.BadWish,
        lambda: actions.set_wishes(by=aida, product=PRODUCT, wishes=wishes),
        unchanged=[Wish.objects.all()],
    )
    assert (refused.status, refused.code) == (422, "bad_wish")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
def test_an_unknown_time_zone_is_refused(zone):
    aida = person()
    assert_refused(
        actions.BadWish,
        lambda: actions.set_quiet_hours(by=aida, product=PRODUCT, starts=time(22), ends=time(7), time_zone=zone),
        unchanged=[QuietHours.objects.all()],
    )


def test_a_merge_moves_the_inbox_and_can_be_undone():
    aida, twin = person(), person("twin")
    actions.tell(user=aida, product=PRODUCT, kind="note", title="known", key="k")
    stays = actions.tell(user=twin, product=PRODUCT, kind="note", title="known", key="k")
    moves = actions.tell(user=twin, product=PRODUCT, kind="note", title="only hers")
    device = actions.register_device(user=twin, product=PRODUCT, **WEB)
    actions.merge_persons(merge_id=1, keep_id=aida.pk, gone_id=twin.pk)
    assert set(Notification.objects.filter(user=twin)) == {stays}
    assert moves in Notification.objects.filter(user=aida)
    assert Device.objects.get().user_id == aida.pk
    actions.undo_merge(merge_id=1, gone_id=twin.pk)
    assert set(Notification.objects.filter(user=twin)) == {stays, moves}
    device.refresh_from_db()
    assert device.user_id == twin.pk


def test_nothing_of_an_erased_person_remains():
    aida, bek = person(), person("bek")
    for user in (aida, bek):
        actions.tell(user=user, product=PRODUCT, kind="note", title="Hello")
        actions.register_device(user=user, product=PRODUCT, kind="fcm", token=user.username)
        actions.set_wishes(by=user, product=PRODUCT, wishes=[{"channel": "bot", "is_on": False}])
    actions.erase_person(user_id=aida.pk)
    for model in (Notification, Device, Wish):
        assert [row.user_id for row in model.objects.all()] == [bek.pk]


def test_what_named_a_forgotten_person_is_taken_back(office):
    """From every inbox, and before it goes out; the same key of another product, and other keys, stay."""
    aida, bek = person(), person("bek")
    for user in (aida, bek):
        for key in ("comment:1", "comment:12", "followed:5:7", "followed:7:5"):
            actions.tell(user=user, product=PRODUCT, kind="note", title="Hello", key=key, channels=("inbox", "bot"))
        actions.tell(user=user, product="other", kind="note", title="Hello", key="comment:1")
    assert actions.unsay(product=PRODUCT, keys=["comment:1", "comment:3"], ending=":7") == 4
    assert actions.unsay(product=PRODUCT, keys=["comment:1"]) == actions.unsay(product=PRODUCT) == 0
    for user in (aida, bek):
        left = Notification.objects.filter(user=user).order_by("pk").values_list("product", "key")
        assert list(left) == [(PRODUCT, "comment:12"), (PRODUCT, "followed:7:5"), ("other", "comment:1")]
    actions.deliver_due()
    assert len(office.sent) == 4


@pytest.mark.parametrize(("is_laptop", "accepted"), [(True, 1), (False, 0)])
def test_only_a_laptop_takes_a_browser_of_its_own_sandbox(settings, is_laptop, accepted):
    settings.SANDBOX_ENABLED = is_laptop
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, sandbox_url="http://127.0.0.1:8000")
    browser = {**WEB, "token": "http://127.0.0.1:8000/__sandbox/webpush/abc"}
    with nullcontext() if is_laptop else pytest.raises(actions.BadDevice):
        actions.register_device(user=person(), product=PRODUCT, **browser)
    assert Device.objects.count() == accepted
