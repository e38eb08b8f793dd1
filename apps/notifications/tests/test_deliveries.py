"""Out of the house: what each answer of a vendor leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.core import events
from apps.core.testing import assert_refused, outcomes, race
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure
from apps.notifications import actions
from apps.notifications.events import AddressDied, MessageDelivered, MessageNotDelivered
from apps.notifications.models import Delivery, Device
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db

heard: list[events.Event] = []


@events.on(MessageDelivered)
@events.on(MessageNotDelivered)
@events.on(AddressDied)
def remember(event: events.Event) -> None:
    heard.append(event)


@pytest.fixture(autouse=True)
def _deaf():
    heard.clear()


def told(channel: str, user=None, **fields) -> Delivery:
    user = user or person()
    row = actions.tell(user=user, product=PRODUCT, kind="note", title="T", body="B", channels=(channel,), **fields)
    return row.deliveries.get()


def state(delivery: Delivery) -> tuple[str, int, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.attempts, delivery.last_error


def test_each_channel_says_it_in_its_way(office):
    aida = person()
    actions.register_device(user=aida, product=PRODUCT, kind="fcm", token="phone-1")
    actions.register_device(
        user=aida, product=PRODUCT, kind="web", token="https://push.example/1", p256dh="key", auth="secret"
    )
    actions.tell(
        user=aida, product=PRODUCT, kind="note", title="T", body="B", channels=("sms", "mail", "bot", "push"),
        link=("Open", "https://t.me/bot?startapp=order_1"),
    )  # fmt: skip
    assert actions.deliver_due() == 5
    assert sorted(office.sent, key=str) == [
        ("bot", aida.telegram_id, "T\n\nB|Open|https://t.me/bot?startapp=order_1"),
        ("mail", "aida@example.org", "T|B\n\nhttps://t.me/bot?startapp=order_1"),
        ("push", "https://push.example/1", "T|B"),
        ("push", "phone-1", "T|B"),
        ("sms", aida.phone, "B"),
    ]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert Delivery.objects.get(channel="sms").vendor_id == "sms-1"
    assert [type(event).__name__ for event in heard] == ["MessageDelivered"] * 5
    assert actions.deliver_due() == 0


def test_the_news_of_a_delivery_names_what_it_was(office):
    aida = person()
    delivery = told("bot", aida, key="order:7")
    actions.deliver_due()
    number = delivery.notification_id
    assert heard == [MessageDelivered(number, aida.pk, PRODUCT, "note", "order:7", "bot")]


@pytest.mark.parametrize("channel", ["bot", "sms", "mail"])
def test_busy_waits_as_long_as_the_vendor_says_and_rests_the_channel(office, channel):
    first, second = told(channel), told(channel, person("bek"))
    office.trouble.append(VendorBusy("429", retry_after=30))
    before = timezone.now()
    assert actions.deliver_due() == 1
    assert state(first) == ("queued", 0, "429")
    assert timedelta(seconds=29) < first.due_at - before < timedelta(seconds=32)
    assert state(second) == ("queued", 0, "")
    assert office.sent == []


def test_busy_without_a_time_backs_off_and_gives_up(office):
    delivery = told("bot")
    pauses = []
    for _ in range(6):
        office.trouble.append(VendorBusy("connection"))
        before = delivery.due_at
        actions.deliver_due(now=before)
        state(delivery)
        pauses.append((delivery.due_at - before).total_seconds())
    assert pauses == [15, 60, 300, 1800, 7200, 0]
    assert state(delivery) == ("failed", 6, "connection")
    assert heard[-1].state == "failed"


def test_a_message_too_old_is_given_up(office):
    delivery = told("bot")
    office.trouble.append(VendorBusy("429", retry_after=5))
    actions.deliver_due(now=timezone.now() + timedelta(hours=25))
    assert state(delivery) == ("failed", 1, "429")


def test_a_blocked_bot_is_not_asked_again(office):
    aida = person()
    delivery, next_one = told("bot", aida), told("bot", aida)
    office.trouble.append(VendorRefused("403", dead=True))
    actions.deliver_due()
    aida.refresh_from_db()
    assert state(delivery) == ("dead", 1, "403")
    assert state(next_one) == ("failed", 1, "no address any more")
    assert aida.can_message_bot is False
    assert office.sent == []
    assert AddressDied(aida.pk, PRODUCT, "bot") in heard


def test_a_dead_device_is_removed(office):
    aida = person()
    for token in ("old", "new"):
        actions.register_device(user=aida, product=PRODUCT, kind="fcm", token=token)
    actions.tell(user=aida, product=PRODUCT, kind="note", title="T", channels=("push",))
    office.trouble.append(VendorRefused("unregistered", dead=True))
    assert actions.deliver_due() == 2
    assert [device.address for device in Device.objects.all()] == ["new"]
    assert sorted(Delivery.objects.values_list("state", "device__address")) == [("dead", None), ("sent", "new")]


def test_a_plain_refusal_is_final_and_keeps_the_address(office):
    aida = person()
    delivery = told("bot", aida)
    office.trouble.append(VendorRefused("400"))
    actions.deliver_due()
    aida.refresh_from_db()
    assert (state(delivery), aida.can_message_bot) == (("failed", 1, "400"), True)


@pytest.mark.parametrize("problem", [VendorUnsure("timeout"), KeyError("odd answer")])
def test_unsure_is_not_said_twice(office, problem):
    delivery = told("sms")
    office.trouble.append(problem)
    assert actions.deliver_due() == 1
    assert actions.deliver_due(now=timezone.now() + timedelta(days=1)) == 0
    assert state(delivery)[:2] == ("unsure", 1)
    assert office.sent == []


def test_an_unsure_push_is_repeated(office):
    aida = person()
    actions.register_device(user=aida, product=PRODUCT, kind="fcm", token="phone")
    delivery = told("push", aida)
    office.trouble.append(VendorUnsure("timeout"))
    actions.deliver_due()
    assert state(delivery) == ("queued", 1, "timeout")
    actions.deliver_due(now=delivery.due_at)
    assert state(delivery)[:2] == ("sent", 2)


def test_one_broken_message_does_not_stop_the_others(office):
    told("sms")
    fine = told("sms", person("bek"))
    office.trouble.append(RuntimeError("adapter is broken"))
    assert actions.deliver_due() == 2
    assert state(fine)[0] == "sent"


@pytest.mark.parametrize(("channel", "after"), [("bot", "unsure"), ("push", "sent")])
def test_a_row_whose_worker_died(office, channel, after):
    aida = person()
    actions.register_device(user=aida, product=PRODUCT, kind="fcm", token="phone")
    delivery = told(channel, aida)
    Delivery.objects.update(state="sending", attempts=1, claimed_until=timezone.now() + timedelta(seconds=60))
    actions.deliver_due()
    assert state(delivery)[0] == "sending"
    actions.deliver_due(now=timezone.now() + timedelta(seconds=61))
    assert state(delivery)[0] == after


def test_personal_goes_before_broadcast(office):
    first, second = told("sms"), told("sms", person("bek"))
    Delivery.objects.filter(pk=first.pk).update(priority=1)
    assert actions.deliver_due(limit=1) == 1
    assert (state(first)[0], state(second)[0]) == ("queued", "sent")


def test_staff_can_repeat_what_went_wrong(office):
    delivery = told("sms")
    office.trouble.append(VendorUnsure())
    actions.deliver_due()
    actions.repeat(by=None, delivery_id=delivery.pk, reason="they called")
    actions.deliver_due()
    assert state(delivery)[:2] == ("sent", 1)
    refused = assert_refused(
        actions.NotRepeatable,
        lambda: actions.repeat(by=None, delivery_id=delivery.pk),
        unchanged=[Delivery.objects.all()],
    )
    assert (refused.status, refused.code, str(refused)) == (
        409, "delivery_not_repeatable", "A sent delivery cannot be sent again",
    )  # fmt: skip


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_workers_send_each_message_once(office):
    with transaction.atomic():
        for number in range(20):
            told("bot", person(f"p{number}"))
        Delivery.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert office.sent == []  # committing woke the carrier, and nothing was due
    Delivery.objects.update(due_at=timezone.now())
    assert outcomes(race(8, lambda _: actions.deliver_due())) == {"ok": 8}
    assert len(office.sent) == 20
    assert len({to for _, to, _ in office.sent}) == 20
