"""Reviews, complaints and moderation (contract urgent 1.1 rows 20 to 23, 3.5, section 8 rows 1, 8, 9, 17 and 20)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from apps.core import states
from apps.core.models import OutboxMessage, StepLog
from apps.core.testing import assert_refused, query_budget, race
from apps.urgent import errors
from apps.urgent.actions import orders, reviews
from apps.urgent.models import Complaint, Member, Order, Review
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller


def world() -> list[QuerySet[Any]]:
    return [model.objects.all() for model in (Review, Complaint, Member, Order, OutboxMessage, StepLog)]


@pytest.fixture
def done(aziz: Member, bek: Member) -> Order:
    """Aziz' completed order, taken by Bek."""
    order = cast.place(aziz, contact="@paid_secret")
    cast.take(bek, order)
    orders.complete(by=aziz, order_id=order.pk)
    order.refresh_from_db()
    return order


def finished(client: Member, *takers: Member) -> Order:
    order = cast.place(client)
    for taker in takers:
        cast.take(taker, order)
    orders.complete(by=client, order_id=order.pk)
    return order


def rate(by: Member, order: Order, rating: int, **more: Any) -> Review:
    return reviews.review_executor(by=by, order_id=order.pk, rating=rating, **more)


# The client rates -----------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_a_client_rates_the_first_taker(aziz: Member, bek: Member, done: Order) -> None:
    answer = Caller(aziz).post("reviews/client", {"order_id": done.pk, "rating": 5, "comment": "Отлично"})
    review = Review.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"success": True, "review_id": review.pk})
    assert (review.executor_id, review.client_id, review.rating, review.comment) == (bek.pk, aziz.pk, 5, "Отлично")
    bek.refresh_from_db()
    done.refresh_from_db()
    assert (bek.average_rating, done.rating, done.review_comment) == (5.0, 5, "Отлично")


def test_each_taker_may_be_rated_and_the_order_shows_the_first(aziz: Member, bek: Member, dina: Member) -> None:
    order = finished(aziz, bek, dina)
    rate(aziz, order, 2, executor_id=dina.pk)
    rate(aziz, order, 5, executor_id=bek.pk)
    order.refresh_from_db()
    assert (order.rating, Review.objects.count()) == (2, 2)


def test_the_mean_has_two_decimals(aziz: Member, bek: Member) -> None:
    for rating in (5, 5, 4):
        rate(aziz, finished(aziz, bek), rating)
    bek.refresh_from_db()
    assert bek.average_rating == 4.67


def test_an_expired_order_is_rated_even_before_the_timer_came(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=61)
    cast.take(bek, order, minutes_ago=50)
    orders.respond(by=aziz, order_id=order.pk, now=order.created_at)
    rate(aziz, order, 3)
    order.refresh_from_db()
    assert (order.status, order.rating) == (Order.Status.EXPIRED, 3)


@pytest.mark.contract
def test_refusals_come_in_their_order(aziz: Member, bek: Member, dina: Member, farid: Member, done: Order) -> None:
    fresh = cast.place(aziz)
    empty = cast.place(aziz, minutes_ago=61)
    cases = [
        (aziz, {"order_id": "nothing-here", "rating": 5}, 404, "order_not_found"),
        (farid, {"order_id": done.pk, "rating": 5}, 404, "order_not_found"),
        (aziz, {"order_id": fresh.pk, "rating": 5}, 400, "review_not_open"),
        (aziz, {"order_id": empty.pk, "rating": 5}, 400, "no_executor"),
        (aziz, {"order_id": done.pk, "rating": 5, "executor_id": dina.pk}, 400, "executor_did_not_take"),
        (aziz, {"order_id": done.pk, "rating": 5, "executor_id": 2**60}, 400, "executor_did_not_take"),
        (aziz, {"order_id": done.pk, "rating": 5}, 200, ""),
        (aziz, {"order_id": done.pk, "rating": 1, "executor_id": bek.pk}, 409, "already_reviewed"),
    ]
    for caller, body, status, code in cases:
        answer = Caller(caller).post("reviews/client", body)
        assert (answer.status_code, answer.json().get("code", "")) == (status, code)
    assert Review.objects.get().rating == 5


def test_closed_and_deleted_orders_are_not_rated(aziz: Member, bek: Member) -> None:
    closed, deleted = cast.place(aziz), cast.place(aziz)
    cast.take(bek, closed)
    orders.close(by=aziz, order_id=closed.pk)
    orders.delete(by=aziz, order_id=deleted.pk)
    assert_refused(errors.ReviewNotOpen, lambda: rate(aziz, closed, 5), unchanged=world())
    assert_refused(errors.ReviewNotOpen, lambda: rate(aziz, deleted, 5), unchanged=world())


@pytest.mark.contract
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": None}, "rating"),
        ({"comment": "x" * 501}, "comment"),
        ({"comment": 5}, "comment"),
        ({"comment": "a\x00"}, "comment"),
        ({"order_id": 12}, "order_id"),
        ({"executor_id": "x"}, "executor_id"),
    ],
)
def test_a_malformed_review_is_422(aziz: Member, done: Order, change: dict[str, Any], field: str) -> None:
    answer = Caller(aziz).post("reviews/client", {"order_id": done.pk, "rating": 5, **change})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert not Review.objects.exists()


def test_a_blocked_client_rates_nobody(aziz: Member, done: Order) -> None:
    Member.objects.filter(pk=aziz.pk).update(blocked_at=timezone.now())
    assert Caller(aziz).post("reviews/client", {"order_id": done.pk, "rating": 1}).status_code == 403


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_equal_reviews_at_once_make_one() -> None:
    aziz, bek = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=10)
    order = finished(aziz, bek)
    body = {"order_id": order.pk, "rating": 4}
    answers = race(10, lambda _: Caller(aziz).post("reviews/client", body).status_code)
    assert sorted(answers) == [200] + [409] * 9
    assert Member.objects.get(pk=bek.pk).average_rating == 4.0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_reviews_of_one_executor_at_once_all_count_in_the_mean() -> None:
    bek = cast.member(cast.BEK, roubles=100)
    clients = [cast.member(9000 + number) for number in range(8)]
    mine = [finished(client, bek) for client in clients]
    race(8, lambda number: rate(clients[number], mine[number], 1 + number % 5))
    assert Member.objects.get(pk=bek.pk).average_rating == round(sum(1 + n % 5 for n in range(8)) / 8, 2)


# The executor complains -----------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_a_taker_complains_once_in_any_state(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    body = {"order_id": order.pk, "complaint": "Не отвечал", "comment": "Три звонка"}
    answer = Caller(bek).post("reviews/executor", body)
    complaint = Complaint.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"success": True, "complaint_id": complaint.pk})
    assert (complaint.client_id, complaint.status, complaint.comment) == (aziz.pk, "open", "Три звонка")
    again = Caller(bek).post("reviews/executor", {**body, "complaint": "Другое"})
    assert (again.status_code, again.json()["code"]) == (409, "already_complained")
    stranger = Caller(dina).post("reviews/executor", body)
    assert (stranger.status_code, stranger.json()["detail"]) == (404, "You did not take this order")
    assert Complaint.objects.get().complaint == "Не отвечал"


@pytest.mark.contract
@pytest.mark.parametrize("complaint", ["Просто так", "", None, 5])
def test_an_unknown_complaint_is_422(bek: Member, done: Order, complaint: Any) -> None:
    answer = Caller(bek).post("reviews/executor", {"order_id": done.pk, "complaint": complaint})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "complaint"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_equal_complaints_at_once_make_one() -> None:
    aziz, bek = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=10)
    order = cast.place(aziz)
    cast.take(bek, order)
    body = {"order_id": order.pk, "complaint": "Другое"}
    answers = race(10, lambda _: Caller(bek).post("reviews/executor", body).status_code)
    assert sorted(answers) == [200] + [409] * 9


# Reading --------------------------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_a_review_reads_like_this(aziz: Member, bek: Member, done: Order) -> None:
    review = rate(aziz, done, 4, comment="Быстро")
    [row] = Caller().get("reviews").json()
    assert row.pop("created_at").endswith("Z")
    assert row == {
        "id": review.pk,
        "author_name": "Азиз",
        "rating": 4,
        "comment": "Быстро",
        "category": "Сантехника",
        "order_id": done.pk,
        "description": cast.DESCRIPTION,
        "contact": None,
        "city": "Москва",
    }


def test_the_paid_secret_is_for_owner_and_takers_only(aziz: Member, bek: Member, dina: Member, done: Order) -> None:
    rate(aziz, done, 5)
    seen = {
        who.user.first_name if who else "": Caller(who).get("reviews").json()[0]["contact"]
        for who in (None, aziz, bek, dina)
    }
    assert seen == {"": None, "Азиз": "@paid_secret", "Бек": "@paid_secret", "Дина": None}


@pytest.mark.contract
def test_filters_narrow_and_limits_hold(aziz: Member, bek: Member, dina: Member) -> None:
    for rating in (5, 3, 5):
        rate(aziz, finished(aziz, bek), rating)
    rate(bek, finished(bek, dina), 1)

    def ratings(who: Member | None, query: str) -> list[int]:
        return [row["rating"] for row in Caller(who).get(f"reviews?{query}").json()]

    assert ratings(None, "") == [1, 5, 3, 5]
    assert ratings(None, "rating=5") == [5, 5]
    assert ratings(None, "limit=2") == [1, 5]
    assert ratings(None, "limit=2&offset=2") == [3, 5]
    assert ratings(bek, "mine=true") == [5, 3, 5]
    assert ratings(bek, "about_me=1") == [1]
    assert ratings(bek, "mine=true&about_me=true") == []
    assert ratings(aziz, "mine=yes") == []


@pytest.mark.contract
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("rating=0", "rating"),
        ("rating=6", "rating"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("mine=foo", "mine"),
    ],
)
def test_malformed_filters_are_422(db: None, query: str, field: str) -> None:
    answer = Caller().get(f"reviews?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", field]


@pytest.mark.contract
@pytest.mark.parametrize("flag", ["mine", "about_me"])
def test_my_reviews_want_a_sign_in_and_plain_browsing_does_not(db: None, flag: str) -> None:
    stale = Caller(token="hash=stale")
    refused, anonymous = stale.get(f"reviews?{flag}=true"), Caller().get(f"reviews?{flag}=true")
    assert (refused.status_code, anonymous.status_code) == (401, 401)
    assert refused.json()["detail"] == "Invalid Telegram initData: Invalid hash - data integrity check failed"
    assert anonymous.json()["detail"] == "Not authenticated"
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"
    assert stale.get("reviews").json() == []
    assert stale.get(f"reviews?{flag}=false").json() == []


def test_the_list_is_one_query(aziz: Member, bek: Member) -> None:
    from apps.urgent.queries import reviews as queries

    for _ in range(3):
        rate(aziz, finished(aziz, bek), 5)
    with query_budget(1):
        assert len(queries.reviews(by=bek, received=True)) == 3


@pytest.mark.contract
def test_what_i_said_about_an_order(aziz: Member, bek: Member, dina: Member) -> None:
    order = finished(aziz, bek, dina)
    path = f"reviews/check?order_id={order.pk}"
    assert Caller(aziz).get(path).json() == {"submitted": False, "type": None}
    rate(aziz, order, 5, executor_id=bek.pk)
    rate(aziz, order, 4, executor_id=dina.pk)
    reviews.complain(by=bek, order_id=order.pk, complaint="Другое")
    assert Caller(aziz).get(path).json() == {"submitted": True, "type": "review"}
    assert Caller(bek).get(path).json() == {"submitted": True, "type": "complaint"}
    assert Caller(dina).get(path).json() == {"submitted": False, "type": None}
    assert Caller(dina).get("reviews/check").status_code == 422
    assert Caller().get(path).status_code == 401


# Moderation -----------------------------------------------------------------------------------------------------------


def test_a_hidden_review_is_not_read_and_does_not_count(aziz: Member, bek: Member) -> None:
    bad, good = finished(aziz, bek), finished(aziz, bek)
    rude, kind = rate(aziz, bad, 1, comment="…"), rate(aziz, good, 5)
    moderator = cast.staff()
    hidden = reviews.hide(by=moderator, review=rude, reason="insult")
    bek.refresh_from_db()
    bad.refresh_from_db()
    assert (hidden.status, bek.average_rating, bad.rating, bad.review_comment) == ("hidden", 5.0, None, None)
    assert hidden.hidden_at is not None
    assert [row["id"] for row in Caller(bek).get("reviews?mine=true").json()] == [kind.pk]
    log = states.history(rude).get()
    assert (log.from_status, log.to_status, log.by, log.reason) == (
        "shown",
        "hidden",
        f"accounts.user:{moderator.pk}",
        "insult",
    )
    reviews.restore(by=moderator, review=rude, reason="it was a quotation")
    bek.refresh_from_db()
    bad.refresh_from_db()
    assert (bek.average_rating, bad.rating) == (3.0, 1)


def test_without_any_shown_review_the_mean_is_zero(aziz: Member, bek: Member, done: Order) -> None:
    reviews.hide(by=cast.staff(), review=rate(aziz, done, 5), reason="paid praise")
    bek.refresh_from_db()
    assert bek.average_rating == 0.0


def test_a_hidden_review_may_not_be_written_again(aziz: Member, done: Order) -> None:
    reviews.hide(by=cast.staff(), review=rate(aziz, done, 1), reason="insult")
    assert_refused(errors.AlreadyReviewed, lambda: rate(aziz, done, 1), unchanged=world())


def test_moderation_wants_a_right_a_reason_and_an_open_case(aziz: Member, bek: Member, done: Order) -> None:
    review = rate(aziz, done, 1)
    complaint = reviews.complain(by=bek, order_id=done.pk, complaint="Другое")
    staff = cast.staff()
    deeds = [
        lambda by, reason: reviews.hide(by=by, review=review, reason=reason),
        lambda by, reason: reviews.restore(by=by, review=review, reason=reason),
        lambda by, reason: reviews.resolve(by=by, complaint=complaint, reason=reason),
        lambda by, reason: reviews.dismiss(by=by, complaint=complaint, reason=reason),
    ]
    for deed in deeds:
        for stranger in (None, bek.user, aziz.user):
            assert_refused(errors.NotAModerator, lambda d=deed, s=stranger: d(s, "why"), unchanged=world())
        assert_refused(errors.ReasonNeeded, lambda d=deed: d(staff, "  "), unchanged=world())
    assert_refused(
        errors.AlreadyDecided, lambda: reviews.restore(by=staff, review=review, reason="why"), unchanged=world()
    )


@pytest.mark.parametrize(("verb", "status"), [("resolve", "resolved"), ("dismiss", "dismissed")])
def test_a_complaint_is_decided_once(bek: Member, done: Order, verb: str, status: str) -> None:
    complaint = reviews.complain(by=bek, order_id=done.pk, complaint="Другое")
    staff = cast.staff()
    decided = getattr(reviews, verb)(by=staff, complaint=complaint, reason="looked into it")
    assert (decided.status, decided.decided_at is not None) == (status, True)
    assert_refused(
        errors.AlreadyDecided, lambda: reviews.dismiss(by=staff, complaint=complaint, reason="again"), unchanged=world()
    )
