"""The back office: lists at a constant price, buttons that ask why, words that are fixed once somebody read them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.core.models import StepLog
from apps.notifications import actions, channels
from apps.notifications.models import Broadcast, Delivery, Device, Notification
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db

MODELS = (Broadcast, Delivery, Notification, Device)
WHY = {"reason": "because"}
DRAFT = {
    "group": f"{PRODUCT}:named",
    "segment_facts": '{"prefix": "p"}',
    "kind": "sale",
    "title_ru": "Скидка",
    "title_uz": "Chegirma",
    "title_tr": "",
    "title_en": "",
    "body_ru": "<b>Сегодня</b>",
    "link_url": "https://example.org",
    "channels": ["inbox", "bot"],
}


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Any) -> None:
    """The second factor has tests of its own."""
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser(username="root", password="mahalla-demo")


@pytest.fixture
def desk(root: User) -> Client:
    """A superuser at work."""
    return at_work(root)


def at_work(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def helper(*permissions: str) -> Client:
    """A member of staff with some rights."""
    user = User.objects.create_user(username="helper", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return at_work(user)


def url(model: Any, deed: str, *args: Any) -> str:
    return reverse(f"admin:notifications_{model._meta.model_name}_{deed}", args=args)


def button(row: Any, name: str) -> str:
    return url(type(row), "change", row.pk).replace("/change/", f"/{name}/")


def buttons(client: Client, row: Any) -> list[str]:
    """Which of our buttons its page shows."""
    text = client.get(url(type(row), "change", row.pk)).content.decode()
    return [name for name in ("start", "pause", "resume", "cancel", "repeat") if button(row, name) in text]


def draft(**fields: Any) -> Broadcast:
    given = {"by": None, "product": PRODUCT, "segment": "named", "title": "Hello", "segment_facts": {"prefix": "p"}}
    return actions.broadcast(**{**given, "is_started": False, **fields})


def status(broadcast: Broadcast) -> str:
    return Broadcast.objects.get(pk=broadcast.pk).status


def delivery(name: str, state: str) -> Delivery:
    actions.tell(user=person(name), product=PRODUCT, kind="alarm", title=f"to {name}")
    Delivery.objects.filter(notification__user__username=name).update(state=state, attempts=5)
    return Delivery.objects.get(notification__user__username=name)


def one_of_each(number: int) -> None:
    user = person(f"p{number}")
    actions.register_device(user=user, product=PRODUCT, kind="fcm", token=f"secret-token-{number}")
    actions.tell(user=user, product=PRODUCT, kind="alarm", title="<b>Fire</b>")
    going = draft(is_started=True)
    actions.advance(broadcast_id=going.pk)


# ── lists and pages ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("model", MODELS)
def test_lists_cost_the_same_whatever_their_length(desk: Client, model: Any) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(url(model, "changelist") + "?o=1").status_code == 200
        return len(seen)

    one_of_each(0)
    cost()
    few = cost()
    for number in range(1, 6):
        one_of_each(number)
    assert cost() == few


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens_escapes_words_and_shows_no_address(desk: Client, model: Any) -> None:
    one_of_each(0)
    answer = desk.get(url(model, "change", model.objects.order_by("pk").last().pk))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "<b>Fire" not in text
    assert "secret-token" not in text


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("words", ["aida", "12", "'; --", "99999999999999999999999"])
def test_every_search_bears_anything(desk: Client, model: Any, words: str) -> None:
    one_of_each(0)
    assert desk.get(url(model, "changelist"), {"q": words}, follow=True).status_code == 200


@pytest.mark.parametrize("model", [Broadcast, Delivery])
@pytest.mark.parametrize("number", ["abc", "0", "99999999999999999999999"])
def test_a_row_that_is_not_there_is_said_not_shouted(desk: Client, model: Any, number: str) -> None:
    name = "start" if model is Broadcast else "repeat"
    page = url(model, "change", number)
    assert desk.get(page).status_code == 302
    assert desk.get(page.replace("/change/", f"/{name}/")).status_code == 404


@pytest.mark.parametrize("model", [Delivery, Notification, Device])
def test_what_happened_cannot_be_edited_or_deleted(desk: Client, model: Any) -> None:
    one_of_each(0)
    row = model.objects.order_by("pk").last()
    assert desk.get(url(model, "add")).status_code == 403
    assert desk.post(url(model, "change", row.pk), {}).status_code == 403
    assert desk.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


# ── a broadcast is written ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_written_in_several_languages(desk: Client, root: User) -> None:
    assert f"{PRODUCT}: By name" in desk.get(url(Broadcast, "add")).content.decode()
    assert desk.post(url(Broadcast, "add"), DRAFT).status_code == 302
    written = Broadcast.objects.get()
    assert (written.product, written.segment, written.segment_facts) == (PRODUCT, "named", {"prefix": "p"})
    assert written.title == {"ru": "Скидка", "uz": "Chegirma"}
    assert written.body == {"ru": "<b>Сегодня</b>"}
    assert (written.kind, written.channels, written.status) == ("sale", ["inbox", "bot"], "draft")
    assert (written.created_by, written.link_url) == (root, "https://example.org")


def test_a_draft_is_rewritten_until_it_starts(desk: Client) -> None:
    desk.post(url(Broadcast, "add"), DRAFT)
    written = Broadcast.objects.get()
    page = desk.get(url(Broadcast, "change", written.pk)).content.decode()
    assert 'value="Chegirma"' in page
    assert "<b>Сегодня" not in page
    changed = {**DRAFT, "title_uz": "", "title_en": "Sale", "channels": []}
    assert desk.post(url(Broadcast, "change", written.pk), changed).status_code == 302
    written.refresh_from_db()
    assert (written.title, written.channels) == ({"ru": "Скидка", "en": "Sale"}, [])
    actions.start(by=None, broadcast_id=written.pk)
    page = desk.get(url(Broadcast, "change", written.pk)).content.decode()
    assert "&lt;b&gt;Сегодня&lt;/b&gt;" in page
    assert "the usual ones of this kind" in page
    assert desk.post(url(Broadcast, "change", written.pk), {**DRAFT, "title_ru": "Другое"}).status_code == 403
    assert Broadcast.objects.get().title == {"ru": "Скидка", "en": "Sale"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"group": "bazaar:nobody"},
        {"group": ""},
        {"title_ru": "", "title_uz": ""},
        {"title_ru": "x" * 256},
        {"channels": ["pigeon"]},
        {"segment_facts": "[1]"},
        {"segment_facts": "{"},
    ],
)
def test_a_draft_that_makes_no_sense_is_not_kept(desk: Client, wrong: dict[str, Any]) -> None:
    answer = desk.post(url(Broadcast, "add"), {**DRAFT, **wrong})
    assert answer.status_code == 200
    assert not Broadcast.objects.exists()


def test_no_broadcast_is_deleted(desk: Client) -> None:
    waiting = draft()
    assert desk.post(url(Broadcast, "delete", waiting.pk), {"post": "yes"}).status_code == 403
    assert Broadcast.objects.count() == 1


# ── a broadcast is steered ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_state_has_its_buttons_and_each_asks_why(desk: Client, root: User) -> None:
    for number in range(3):
        person(f"p{number}")
    going = draft()
    assert buttons(desk, going) == ["start", "cancel"]
    assert desk.get(button(going, "start")).status_code == 200
    assert status(going) == "draft"  # a look at the question starts nothing
    assert desk.post(button(going, "start"), {"reason": ""}).status_code == 200
    assert status(going) == "draft"
    assert desk.post(button(going, "start"), WHY).status_code == 302
    assert (status(going), buttons(desk, going)) == ("running", ["pause", "cancel"])
    assert actions.advance(broadcast_id=going.pk, batch=2) == 2
    assert "2/3" in desk.get(url(Broadcast, "changelist")).content.decode()
    desk.post(button(going, "pause"), WHY)
    assert (status(going), buttons(desk, going)) == ("paused", ["resume", "cancel"])
    desk.post(button(going, "resume"), WHY)
    desk.post(button(going, "cancel"), WHY)
    assert (status(going), buttons(desk, going)) == ("cancelled", [])
    assert Notification.objects.count() == 2
    steps = StepLog.objects.order_by("id").values_list("to_status", "reason")
    assert list(steps) == [(to, "because") for to in ("running", "paused", "running", "cancelled")]


def test_a_stale_page_is_refused_with_a_message(desk: Client) -> None:
    over = draft()
    actions.cancel(by=None, broadcast_id=over.pk)
    for name in ("start", "pause", "resume", "cancel"):
        answer = desk.post(button(over, name), WHY, follow=True)
        assert "A broadcast in this state cannot do that" in answer.content.decode()
    assert status(over) == "cancelled"
    assert not Notification.objects.exists()


def test_who_may_only_look_finds_no_buttons(db: None) -> None:
    waiting, failed = draft(), delivery("aida", "failed")
    looker = helper("view_broadcast", "view_delivery")
    assert buttons(looker, waiting) == []
    assert buttons(looker, failed) == []
    assert looker.get(url(Broadcast, "add")).status_code == 403
    for row, name in ((waiting, "start"), (waiting, "cancel"), (failed, "repeat")):
        assert looker.post(button(row, name), WHY).status_code == 403
    assert (status(waiting), Delivery.objects.get().state) == ("draft", "failed")


def test_strangers_are_sent_to_the_door(db: None) -> None:
    waiting = draft()
    assert Client().post(button(waiting, "start"), WHY).status_code == 302
    assert status(waiting) == "draft"


def test_a_product_that_left_does_not_break_the_page(desk: Client) -> None:
    orphan = draft()
    Broadcast.objects.filter(pk=orphan.pk).update(product="gone", segment="lost")
    assert desk.get(url(Broadcast, "changelist")).status_code == 200
    assert desk.get(url(Broadcast, "change", orphan.pk)).status_code == 200
    assert "There is no such group of people" in desk.post(button(orphan, "start"), WHY, follow=True).content.decode()
    assert status(orphan) == "draft"


def test_every_group_of_every_product_is_offered(desk: Client) -> None:
    page = desk.get(url(Broadcast, "add")).content.decode()
    assert all(f'value="{one.product}:{one.name}"' in page for one in channels.segments())


# ── deliveries are repeated ─────────────────────────────────────────────────────────────────────────────────────────


def test_one_delivery_is_sent_again_with_a_reason(desk: Client) -> None:
    failed = delivery("aida", "failed")
    assert buttons(desk, failed) == ["repeat"]
    assert desk.get(button(failed, "repeat")).status_code == 200
    assert Delivery.objects.get().state == "failed"
    desk.post(button(failed, "repeat"), WHY)
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, buttons(desk, failed)) == ("queued", 0, [])
    answer = desk.post(button(failed, "repeat"), WHY, follow=True)
    assert "This message cannot be sent again" in answer.content.decode()


def test_many_deliveries_are_sent_again_with_one_message(desk: Client) -> None:
    rows = [
        delivery(f"p{number}", state) for number, state in enumerate(("failed", "unsure", "dead", "sent", "queued"))
    ]
    chosen = {"action": "repeat_selected", "_selected_action": [row.pk for row in rows]}
    answer = desk.post(url(Delivery, "changelist"), chosen, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "3 of 5 will be sent again; the rest are on their way or arrived"
    ]
    states = list(Delivery.objects.order_by("id").values_list("state", "attempts"))
    assert states == [("queued", 0)] * 3 + [("sent", 5), ("queued", 5)]


def test_who_may_only_look_repeats_nothing(db: None) -> None:
    failed = delivery("aida", "failed")
    chosen = {"action": "repeat_selected", "_selected_action": [failed.pk]}
    helper("view_delivery").post(url(Delivery, "changelist"), chosen, follow=True)
    assert Delivery.objects.get().state == "failed"
