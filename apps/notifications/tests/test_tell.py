"""One tell: a row, the agreed channels, once per key."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from django.utils.translation import gettext_lazy as _

from apps.core.testing import query_budget, race
from apps.core.texts import Text
from apps.notifications import actions, channels, queries
from apps.notifications.actions.telling import Saying, ringing_time
from apps.notifications.models import Delivery, Notification, QuietHours
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db


def deliveries(row: Notification) -> list[str]:
    return sorted(row.deliveries.values_list("channel", flat=True))


def test_a_kind_goes_by_its_own_channels():
    row = actions.tell(user=person(), product=PRODUCT, kind="sale", title="Half price", payload={"shop": 7})
    assert (row.in_inbox, row.goes_live, deliveries(row)) == (True, True, ["bot"])
    assert (row.title, row.body, row.payload, row.language, row.read_at, row.sent_at) == (
        "Half price", "", {"shop": 7}, "en", None, None,
    )  # fmt: skip


def test_an_unregistered_kind_goes_to_inbox_and_socket():
    row = actions.tell(user=person(), product=PRODUCT, kind="made up by a manager", title="Hello")
    assert (row.in_inbox, row.goes_live, deliveries(row)) == (True, True, [])


def test_the_caller_may_choose_the_channels():
    row = actions.tell(user=person(), product=PRODUCT, kind="sale", title="Hello", channels=("mail", "sms"))
    assert (row.in_inbox, row.goes_live, deliveries(row)) == (False, False, ["mail", "sms"])


def test_a_person_without_an_address_gets_no_delivery():
    lonely = person(phone=None, email=None, telegram_id=None)
    row = actions.tell(user=lonely, product=PRODUCT, kind="sale", title="Hello", channels=channels.CHANNELS)
    assert (row.in_inbox, row.goes_live, deliveries(row)) == (True, True, [])


@pytest.mark.parametrize("fields", [{"can_message_bot": False}, {"telegram_id": None}])
def test_a_blocked_or_unlinked_bot_is_no_address(fields):
    row = actions.tell(user=person(**fields), product=PRODUCT, kind="sale", title="Hello")
    assert deliveries(row) == []


def test_an_unproved_mail_address_gets_no_letters():
    row = actions.tell(user=person(email_verified_at=None), product=PRODUCT, kind="letter", title="Hello")
    assert deliveries(row) == []


def test_the_same_key_tells_once():
    aida = person()
    first = actions.tell(user=aida, product=PRODUCT, kind="sale", title="One", key="order:1")
    again = actions.tell(user=aida, product=PRODUCT, kind="sale", title="Two", key="order:1")
    other = actions.tell(user=aida, product="other", kind="sale", title="Three", key="order:1")
    assert (again.pk, again.title) == (first.pk, "One")
    assert other.pk != first.pk
    assert Notification.objects.count() == 2
    assert Delivery.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_key_told_by_ten_at_once_makes_one_row():
    aida = person()
    rows = race(10, lambda n: actions.tell(user=aida, product=PRODUCT, kind="sale", title=str(n), key="order:1").pk)
    assert len(set(rows)) == 1
    assert isinstance(rows[0], int)
    assert (Notification.objects.count(), Delivery.objects.count()) == (1, 1)


def test_words_come_in_the_persons_language_with_facts():
    text = Text(ru="Скидка", uz="Chegirma", en="Sale")
    assert actions.tell(user=person("ali", language="uz"), product=PRODUCT, kind="x", title=text).title == "Chegirma"
    assert actions.tell(user=person("ece", language="tr"), product=PRODUCT, kind="x", title=text).title == "Скидка"
    spoken = actions.tell(user=person(), product=PRODUCT, kind="x", title=_("Order {number}"), facts={"number": 5})
    assert spoken.title == "Order 5"
    typed = actions.tell(user=person("bek"), product=PRODUCT, kind="x", title="{not a placeholder}")
    assert typed.title == "{not a placeholder}"


def test_wishes_take_away_and_add():
    aida = person()
    actions.set_wishes(by=aida, product=PRODUCT, wishes=[{"channel": "bot", "is_on": False}])
    actions.set_wishes(by=aida, product=PRODUCT, wishes=[{"channel": "mail", "is_on": True, "kind": "sale"}])
    assert deliveries(actions.tell(user=aida, product=PRODUCT, kind="sale", title="Hello")) == ["mail"]
    chosen = actions.tell(user=aida, product=PRODUCT, kind="sale", title="Hello", channels=("bot", "sms"))
    assert deliveries(chosen) == ["sms"]


def test_a_wish_for_the_kind_beats_one_for_the_product():
    aida = person()
    off, on = {"channel": "bot", "is_on": False}, {"channel": "bot", "is_on": True, "kind": "sale"}
    actions.set_wishes(by=aida, product=PRODUCT, wishes=[off, on])
    assert deliveries(actions.tell(user=aida, product=PRODUCT, kind="sale", title="Hello")) == ["bot"]
    assert queries.wishes(user_id=aida.pk, product=PRODUCT)[0]["channels"] == {
        "inbox": True, "socket": True, "push": False, "bot": True, "mail": False, "sms": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "rings"),
    [
        ("2026-11-21T18:00", "2026-11-22T02:00"),  # 23:00 in Tashkent → 07:00 next morning
        ("2026-11-21T23:30", "2026-11-22T02:00"),  # 04:30 → 07:00
        ("2026-11-21T02:00", "2026-11-21T02:00"),  # 07:00: over
        ("2026-11-21T12:00", "2026-11-21T12:00"),  # 17:00: awake
        ("2026-11-21T17:00", "2026-11-22T02:00"),  # 22:00 exactly: quiet
    ],
)
def test_quiet_hours_cross_midnight(moment, rings):
    hours = QuietHours(starts=time(22), ends=time(7), time_zone="Asia/Tashkent")
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert ringing_time(hours, at) == datetime.fromisoformat(rings).replace(tzinfo=UTC)


def test_quiet_hours_hold_back_what_rings_and_not_what_must():
    aida = person()
    actions.set_quiet_hours(by=aida, product=PRODUCT, starts=time(22), ends=time(7))
    night = datetime(2026, 11, 21, 20, tzinfo=UTC)
    row = actions.tell(user=aida, product=PRODUCT, kind="sale", title="Hello", now=night)
    alarm = actions.tell(user=aida, product=PRODUCT, kind="alarm", title="Fire", now=night)
    assert row.deliveries.get().due_at == datetime(2026, 11, 22, 2, tzinfo=UTC)
    assert alarm.deliveries.get().due_at == night
    actions.clear_quiet_hours(by=aida, product=PRODUCT)
    assert (
        actions.tell(user=aida, product=PRODUCT, kind="sale", title="Hello", now=night).deliveries.get().due_at == night
    )


def test_telling_many_costs_the_same_for_three_and_thirty():
    for prefix, count in (("a", 3), ("b", 30)):
        people = [person(f"{prefix}{number}") for number in range(count)]
        with query_budget(8):
            rows = actions.tell_many(users=people, saying=Saying(PRODUCT, "sale", "Hello", key="k"))
        assert len(rows) == count


def test_telling_many_leaves_out_those_who_know():
    aida, bek = person(), person("bek")
    actions.tell(user=aida, product=PRODUCT, kind="sale", title="Hello", key="k")
    rows = actions.tell_many(users=[aida, bek], saying=Saying(PRODUCT, "sale", "Hello", key="k"))
    assert [row.user_id for row in rows] == [bek.pk]


def test_a_product_may_keep_phones_of_its_own(office):
    product = "corner shop"
    people = {name: person(name) for name in ("own", "none")}
    channels.register_phones(product, lambda _ids: {people["own"].pk: "+905321234567"})
    own, none = (
        actions.tell(user=people[name], product=product, kind="sale", title="Hello", channels=("sms",))
        for name in ("own", "none")
    )
    assert (deliveries(own), deliveries(none)) == (["sms"], [])
    actions.deliver_due()
    assert office.sent == [("sms", "+905321234567", "Hello")]


def test_phones_of_many_are_asked_for_at_once():
    product, asked = "big shop", []

    def phones_of(ids):
        asked.append(len(list(ids)))
        return {}

    channels.register_phones(product, phones_of)
    people = [person(f"a{number}") for number in range(30)]
    actions.tell_many(users=people, saying=Saying(product, "sale", "Hello", channels=("sms",)))
    actions.tell_many(users=people, saying=Saying(product, "sale", "Hello"))  # no texts, no question
    assert asked == [30]


def test_words_that_people_wrote_keep_their_language():
    reader = person("reader")
    saying = actions.Saying(product=PRODUCT, kind="x", title="Salom")
    [row] = actions.tell_many(users=[reader], saying=saying, language="uz")
    assert (row.language, row.title) == ("uz", "Salom")


def test_one_product_forgets_a_person_and_the_others_do_not():
    reader = person("reader")
    for product in (PRODUCT, "elsewhere"):
        actions.tell(user=reader, product=product, kind="x", title="t")
    actions.erase_person(user_id=reader.pk, product=PRODUCT)
    assert [row.product for row in Notification.objects.filter(user=reader)] == ["elsewhere"]
