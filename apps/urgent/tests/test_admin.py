"""The back office: every list and page opens in a constant number of queries, every button is one action with a
reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.integrations.sandbox import vendors
from apps.urgent.actions import invoices, orders, reviews
from apps.urgent.models import City, Complaint, Invoice, Member, Order, Review, Take
from apps.urgent.queries import cities
from apps.urgent.tests import cast

LISTS = ("order", "take", "member", "review", "complaint", "city")


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    """The second factor has tests of its own."""
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def desk(db: None) -> Client:
    """A superuser at work."""
    return at_work(cast.staff())


def at_work(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def helper(*permissions: str) -> Client:
    """A member of staff with some rights."""
    person = User.objects.create_user(username=f"helper{User.objects.count()}", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return at_work(person)


@pytest.fixture
def story(aziz: Member, bek: Member, dina: Member) -> Order:
    """One order of everything: takes, a review, a complaint, an invoice."""
    order = cast.place(aziz)
    cast.take(bek, order)
    cast.take(dina, order)
    orders.complete(by=aziz, order_id=order.pk)
    reviews.review_executor(by=aziz, order_id=order.pk, rating=2, comment="Опоздал <b>на час</b>")
    reviews.complain(by=bek, order_id=order.pk, complaint="Другое")
    invoices.create(by=bek, amount=300)
    return order


def url(model: str, deed: str, *args: Any) -> str:
    return reverse(f"admin:urgent_{model}_{deed}", args=args)


@pytest.mark.parametrize("model", LISTS)
def test_every_list_opens(desk: Client, story: Order, model: str) -> None:
    answer = desk.get(url(model, "changelist"), follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("words", ["Москва", "500000002", "abc", "-x_", "'; --", "99999999999999999999999"])
def test_every_search_bears_anything(desk: Client, story: Order, model: str, words: str) -> None:
    assert desk.get(url(model, "changelist"), {"q": words}, follow=True).status_code == 200


@pytest.mark.parametrize("model", ["order", "take", "member", "review", "complaint"])
def test_lists_cost_the_same_whatever_their_length(desk: Client, story: Order, model: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(f"{url(model, 'changelist')}?o=1", follow=True).status_code == 200
        return len(seen)

    cost()
    few = cost()
    for number in range(5):
        taker = cast.member(3000 + number, roubles=10)
        order = cast.place(cast.member(4000 + number))
        cast.take(taker, order)
        orders.complete(by=order.client, order_id=order.pk)
        reviews.review_executor(by=order.client, order_id=order.pk, rating=5)
        reviews.complain(by=taker, order_id=order.pk, complaint="Другое")
    assert cost() == few


@pytest.mark.parametrize("model", ["order", "take", "member", "review", "complaint"])
def test_every_page_opens_and_escapes_what_people_wrote(desk: Client, story: Order, model: str) -> None:
    row = {"order": Order, "take": Take, "member": Member, "review": Review, "complaint": Complaint}
    answer = desk.get(url(model, "change", row[model].objects.order_by("pk").last().pk))  # type: ignore[attr-defined]
    assert answer.status_code == 200
    assert "<b>на час" not in answer.content.decode()


def test_an_order_shows_its_takes_and_money(desk: Client, story: Order) -> None:
    page = desk.get(url("order", "change", story.pk)).content.decode()
    assert page.count("order_take") == 2
    assert cast.CONTACT not in page
    assert story.contact in page


def test_strangers_and_clerks_without_rights_see_nothing(db: None, story: Order) -> None:
    assert Client().get(url("order", "changelist")).status_code == 302
    clerk = helper()
    for model in LISTS:
        assert clerk.get(url(model, "changelist"), follow=True).status_code == 403
    assert clerk.get(reverse("admin:urgent_analytics")).status_code == 403


@pytest.mark.parametrize(
    ("right", "is_shown"),
    [("block_member", False), ("view_complaint", False), ("moderate", True), ("refund_take", True)],
)
def test_the_paid_secret_is_for_staff_who_settle_quarrels(story: Order, right: str, is_shown: bool) -> None:
    page = helper("view_order", "view_take", right).get(url("order", "change", story.pk))
    assert page.status_code == 200
    assert (story.contact in page.content.decode()) is is_shown
    assert story.description in page.content.decode()


def press(client: Client, model: str, button: str, pk: Any, reason: str = "because it is so") -> int:
    return client.post(url(model, button, pk), {"reason": reason}).status_code


def test_hiding_and_restoring_a_review(desk: Client, story: Order, bek: Member) -> None:
    review = Review.objects.get()
    assert desk.get(url("review", "hide", review.pk)).status_code == 200
    assert press(desk, "review", "hide", review.pk, reason="") == 200
    review.refresh_from_db()
    assert review.status == "shown"
    assert press(desk, "review", "hide", review.pk) == 302
    review.refresh_from_db()
    bek.refresh_from_db()
    assert (review.status, bek.average_rating) == ("hidden", 0.0)
    assert "because it is so" in desk.get(url("review", "change", review.pk)).content.decode()
    press(desk, "review", "hide", review.pk)
    press(desk, "review", "restore", review.pk)
    bek.refresh_from_db()
    assert bek.average_rating == 2.0


def test_deciding_a_complaint_and_the_queue_of_open_ones(desk: Client, story: Order) -> None:
    complaint = Complaint.objects.get()
    queue = desk.get(url("complaint", "changelist"), follow=True)
    assert queue.request["QUERY_STRING"] == "status__exact=open"
    assert len(queue.context["cl"].result_list) == 1
    assert press(desk, "complaint", "resolve", complaint.pk) == 302
    complaint.refresh_from_db()
    assert complaint.status == "resolved"
    assert len(desk.get(url("complaint", "changelist"), follow=True).context["cl"].result_list) == 0


def test_refunding_a_take_once(desk: Client, story: Order, bek: Member) -> None:
    take = Take.objects.get(executor=bek)
    before = cast.balance(bek)
    for _ in range(2):
        assert press(desk, "take", "refund", take.pk) == 302
    take.refresh_from_db()
    assert (cast.balance(bek), take.refund_reason) == (before + 2, "because it is so")


def test_blocking_and_unblocking_a_member(desk: Client, story: Order, bek: Member) -> None:
    assert press(desk, "member", "block", bek.pk) == 302
    bek.refresh_from_db()
    assert (bek.is_blocked, bek.block_reason) == (True, "because it is so")
    assert press(desk, "member", "unblock", bek.pk) == 302
    bek.refresh_from_db()
    assert not bek.is_blocked


def test_a_top_up_is_looked_after_on_the_page_of_payments(desk: Client, story: Order, bek: Member) -> None:
    payment = cast.payment(Invoice.objects.get())
    before = cast.balance(bek)
    vendors.cryptobot.pay(int(payment.vendor_id or 0))
    assert desk.post(reverse("admin:payments_payment_ask_now", args=[payment.pk])).status_code == 302
    assert cast.balance(bek) == before + 300
    desk.post(reverse("admin:payments_payment_refund", args=[payment.pk]), {"reason": "because it is so"})
    assert (cast.payment(Invoice.objects.get()).status, cast.balance(bek)) == ("paid", before + 300)


def test_buttons_want_their_right(story: Order, bek: Member) -> None:
    clerk = helper("view_review", "view_complaint", "view_take", "view_member")
    pressed = [
        ("review", "hide", Review.objects.get().pk),
        ("complaint", "resolve", Complaint.objects.get().pk),
        ("take", "refund", Take.objects.get(executor=bek).pk),
        ("member", "block", bek.pk),
    ]
    for model, button, pk in pressed:
        assert press(clerk, model, button, pk) == 403
    assert not Review.objects.exclude(status="shown").exists()
    assert not Take.objects.exclude(refunded_at=None).exists()


def test_a_moderator_moderates(story: Order) -> None:
    assert press(helper("view_review", "moderate"), "review", "hide", Review.objects.get().pk) == 302
    assert Review.objects.get().status == "hidden"


def test_a_changed_town_is_offered_at_once(desk: Client, django_capture_on_commit_callbacks: Any) -> None:
    City.objects.all().delete()
    city = City.objects.create(name="Тестоград")
    cities.forget()
    assert cities.names() == ["Тестоград"]
    with django_capture_on_commit_callbacks(execute=True):
        answer = desk.post(
            url("city", "change", city.pk), {"name": "Тестоград", "position": "7", "latitude": "", "longitude": ""}
        )
    assert answer.status_code == 302
    assert cities.names() == []
