"""Who is told what, by which channel, once (contract florist 3.17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core import events
from apps.core.testing import deliver, outcomes, race
from apps.florist.actions import talk
from apps.florist.events import (
    CommentAdded,
    DateApproaches,
    OrderCreated,
    OrderEdited,
    OrderMoved,
    PhotoAdded,
    PhotoJudged,
    RunChanged,
    ShortageReported,
    StandingOrderStopped,
    StockDisagrees,
    StockRanLow,
    StopFailed,
    TaskAssigned,
    TaskLate,
    TaskMoved,
)
from apps.florist.models import (
    BuyerTexts,
    Comment,
    DeliveryAttempt,
    DeliveryRun,
    Employee,
    ImportantDate,
    Order,
    OrderItem,
    OrderPhoto,
    ProductionTask,
    Shop,
    StandingOrder,
    Stop,
)
from apps.florist.tests import cast
from apps.florist.tests.cast import Role
from apps.florist.tests.rows import order
from apps.notifications.channels import kinds
from apps.notifications.models import Delivery, Notification

pytestmark = pytest.mark.django_db


def happened(*facts: Any) -> None:
    """The facts are published, and their handlers run; a repeat of each says nothing new."""
    for _ in range(2):
        with transaction.atomic():
            events.publish(*facts)
        deliver()


def told(kind: str) -> list[tuple[int, str]]:
    """Whom, and the title."""
    rows = Notification.objects.filter(kind=kind).order_by("user_id")
    return list(rows.values_list("user_id", "title"))


def ids(*people: Employee) -> list[int]:
    return sorted(person.user_id for person in people)


def task(of: Order, florist: Employee | None = None, **more: Any) -> ProductionTask:
    status = "assigned" if florist else "pending"
    return ProductionTask.objects.create(shop=of.shop, order=of, florist=florist, **{"status": status, **more})


def on_its_way(placed: Order) -> None:
    """The buyer is to hear of it."""
    happened(OrderMoved(order_id=placed.pk, shop_id=placed.shop_id, old_status="x", new_status="delivery", by_id=None))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_no_more_texts_at_once_than_a_day_has(settings: Any) -> None:
    settings.FLORIST = replace(settings.FLORIST, buyer_sms_per_day=3)
    shop = cast.shop()
    boss = cast.employee(shop, Role.MANAGER)
    placed = [order(shop, customer_phone=f"+7702111223{number}") for number in range(6)]
    assert outcomes(race(6, lambda number: talk.of_move(order_id=placed[number].pk, status="delivery"))) == {"ok": 6}
    assert [user_id for user_id, _title in told("texts_used")] == [boss.user_id]
    assert (BuyerTexts.objects.get().sent, Delivery.objects.filter(channel="sms").count()) == (3, 3)
    assert len(told("buyer_order")) == 6


def test_every_kind_has_words_and_channels() -> None:
    assert {kind.name for kind in kinds("florist")} == set(talk.KINDS)
    assert all(kind.channels and kind.label for kind in kinds("florist"))


class TestOrders:
    def test_managers_hear_of_a_new_order_with_everything(
        self, olga: Employee, bek: Employee, aida: Employee, dana: Employee, settings: Any
    ) -> None:
        buyer = cast.customer(olga.shop, "Ivan <b>")
        placed = order(olga.shop, customer=buyer, customer_phone=buyer.phone, address="Abaya 1")
        product = cast.product(olga.shop)
        OrderItem.objects.create(
            order=placed,
            product=product,
            product_name="Red roses",
            product_category="bouquet",
            quantity=2,
            price=5000,
            total=10_000,
        )
        happened(OrderCreated(order_id=placed.pk, shop_id=olga.shop_id, source="crm"))
        assert told("order_created") == [(user_id, f"New order {placed.pk}") for user_id in ids(olga, bek)]
        row = Notification.objects.filter(user=bek.user).get()
        for part in ("Ivan <b>", buyer.phone, "Abaya 1", "Red roses × 2", "10000 KZT"):
            assert part in row.body
        assert row.link_url == f"{settings.PUBLIC_URL}/desk/manager/orders/{placed.pk}/"
        assert row.payload == {"order_id": placed.pk, "shop_id": olga.shop_id}

    def test_a_linked_manager_gets_it_in_telegram(self, bek: Employee) -> None:
        User.objects.filter(pk=bek.user_id).update(telegram_id=77, can_message_bot=True)
        placed = order(bek.shop)
        happened(OrderCreated(order_id=placed.pk, shop_id=bek.shop_id, source="crm"))
        assert list(Delivery.objects.values_list("channel", flat=True)) == ["bot"]

    def test_the_buyer_hears_of_steps_by_text_message(self, rosa: Shop, settings: Any) -> None:
        placed = order(rosa, customer_phone="+77021112233")
        for status in ("paid", "assembled", "delivery", "delivered", "completed"):
            happened(OrderMoved(order_id=placed.pk, shop_id=rosa.pk, old_status="x", new_status=status, by_id=None))
        rows = Notification.objects.filter(kind="buyer_order").order_by("id")
        assert [row.body.split(" ")[-1] for row in rows] == [f"{settings.PUBLIC_URL}/track/{placed.tracking_token}"] * 2
        assert {row.user.phone for row in rows} == {"+77021112233"}
        assert list(Delivery.objects.values_list("channel", flat=True)) == ["sms", "sms"]
        assert not rows[0].in_inbox

    def test_a_buyer_with_our_bot_hears_there_and_is_no_second_person(self, rosa: Shop) -> None:
        person = User.objects.create_user(phone="+77021112233", telegram_id=5, can_message_bot=True)
        placed = order(rosa, customer_phone="+77021112233")
        happened(OrderMoved(order_id=placed.pk, shop_id=rosa.pk, old_status="x", new_status="delivery", by_id=None))
        assert Delivery.objects.get().channel == "bot"
        assert list(User.objects.filter(phone="+77021112233")) == [person]

    def test_a_shop_sends_so_many_texts_a_day(
        self, bek: Employee, rosa: Shop, tulip: Shop, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What comes after is written down, said to nobody but the managers, and not made up for."""
        settings.FLORIST = replace(settings.FLORIST, buyer_sms_per_day=2)
        for number, shop in enumerate((rosa, rosa, rosa, rosa, tulip)):
            on_its_way(order(shop, customer_phone=f"+7702111223{number}"))
        assert [row.sent for row in BuyerTexts.objects.order_by("shop_id")] == [2, 1]
        assert Delivery.objects.filter(channel="sms").count() == 3
        assert len(told("buyer_order")) == 5
        [(manager, title)] = told("texts_used")
        assert (manager, "2 text messages" in title) == (bek.user_id, True)
        assert "used up" in caplog.text and "+7702" not in caplog.text
        with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
            on_its_way(order(rosa, customer_phone="+77021112239"))
        assert Delivery.objects.filter(channel="sms").count() == 4

    def test_the_bot_and_no_limit_count_nothing_away(self, rosa: Shop, settings: Any) -> None:
        settings.FLORIST = replace(settings.FLORIST, buyer_sms_per_day=1)
        for number in range(3):
            phone = f"+7702111223{number}"
            User.objects.create_user(phone=phone, telegram_id=5 + number, can_message_bot=True)
            on_its_way(order(rosa, customer_phone=phone))
        assert list(Delivery.objects.values_list("channel", flat=True)) == ["bot"] * 3
        settings.FLORIST = replace(settings.FLORIST, buyer_sms_per_day=0)
        for number in range(3):
            on_its_way(order(rosa, customer_phone=f"+7702111224{number}"))
        assert Delivery.objects.filter(channel="sms").count() == 3

    @pytest.mark.parametrize(
        ("source", "paid", "count"), [("storefront", False, 0), ("storefront", True, 1), ("crm", False, 1)]
    )
    def test_a_phone_that_a_stranger_typed_hears_of_no_end_without_money(
        self, rosa: Shop, source: str, paid: bool, count: int
    ) -> None:
        placed = order(rosa, source=source, status="cancelled", payment_date=timezone.now() if paid else None)
        happened(OrderMoved(order_id=placed.pk, shop_id=rosa.pk, old_status="new", new_status="cancelled", by_id=None))
        assert len(told("buyer_order")) == count

    @pytest.mark.parametrize(("has_bot", "channels"), [(False, []), (True, ["bot"])])
    def test_no_texts_to_countries_that_the_house_does_not_serve(
        self, rosa: Shop, has_bot: bool, channels: list[str]
    ) -> None:
        phone = "+447911123456"
        if has_bot:
            User.objects.create_user(phone=phone, telegram_id=5, can_message_bot=True)
        placed = order(rosa, customer_phone=phone)
        happened(OrderMoved(order_id=placed.pk, shop_id=rosa.pk, old_status="x", new_status="delivery", by_id=None))
        assert list(Delivery.objects.values_list("channel", flat=True)) == channels
        assert User.objects.filter(phone=phone).exists() is has_bot

    def test_the_shops_language_is_spoken_to_buyers(self, rosa: Shop) -> None:
        Shop.objects.update(language="en")
        placed = order(rosa)
        happened(OrderMoved(order_id=placed.pk, shop_id=rosa.pk, old_status="x", new_status="delivery", by_id=None))
        assert "is on its way" in Notification.objects.get(kind="buyer_order").body

    def test_managers_hear_of_an_issue(self, olga: Employee, aida: Employee) -> None:
        placed = order(olga.shop, issue_type="wrong_address", issue_comment="No such house")
        happened(
            OrderMoved(order_id=placed.pk, shop_id=olga.shop_id, old_status="paid", new_status="issue", by_id=None)
        )
        assert told("order_issue") == [(olga.user_id, f"Problem with order {placed.pk}: wrong address")]
        assert Notification.objects.get().body == "No such house"

    def test_the_finished_bouquet_is_shown_to_the_buyer_once(self, rosa: Shop) -> None:
        placed = order(rosa)
        for kind in ("process", "pre_delivery", "pre_delivery"):
            photo = OrderPhoto.objects.create(order=placed, photo_url="/x", photo_type=kind)
            happened(PhotoAdded(order_id=placed.pk, shop_id=rosa.pk, photo_id=photo.pk, photo_type=kind))
        assert len(told("buyer_photo")) == 1

    def test_the_judgement_reaches_managers_and_the_florist(self, olga: Employee, aida: Employee) -> None:
        placed = order(olga.shop, assigned_florist=aida)
        photo = OrderPhoto.objects.create(
            order=placed,
            photo_url="/x",
            photo_type="pre_delivery",
            customer_feedback="dislike",
            feedback_comment="Pale",
        )
        happened(PhotoJudged(order_id=placed.pk, shop_id=olga.shop_id, photo_id=photo.pk, feedback="dislike"))
        assert [user_id for user_id, _ in told("photo_judged")] == ids(olga, aida)
        assert {row.body for row in Notification.objects.all()} == {"Pale"}

    @pytest.mark.parametrize(("author", "count"), [("customer", 1), ("staff", 0)])
    def test_a_buyers_word_reaches_managers(self, bek: Employee, author: str, count: int) -> None:
        placed = order(bek.shop)
        said = Comment.objects.create(order=placed, text="Ring twice", author_type=author)
        happened(CommentAdded(order_id=placed.pk, shop_id=bek.shop_id, comment_id=said.pk, author_type=author))
        assert len(told("order_comment")) == count

    def test_a_named_courier_hears_unless_it_is_on_a_run(self, ruslan: Employee) -> None:
        single, planned = (order(ruslan.shop, courier=ruslan) for _ in range(2))
        run = DeliveryRun.objects.create(shop=ruslan.shop, courier=ruslan, day=timezone.now().date())
        Stop.objects.create(run=run, order=planned, position=1)
        for placed in (single, planned):
            happened(OrderEdited(order_id=placed.pk, shop_id=ruslan.shop_id, what=("courier",)))
        assert told("order_assigned") == [(ruslan.user_id, f"Order {single.pk} is yours")]


class TestMaking:
    def test_the_florist_hears_of_a_task_from_somebody_else(self, bek: Employee, aida: Employee) -> None:
        made = task(order(bek.shop, status="paid"), aida, assigned_at=timezone.now())
        for by in (aida, bek):
            happened(TaskAssigned(task_id=made.pk, shop_id=bek.shop_id, florist_id=aida.pk, by_id=by.pk))
        assert [user_id for user_id, _ in told("task_assigned")] == [aida.user_id]

    def test_a_late_task_reaches_its_florist_and_the_managers(self, bek: Employee, aida: Employee) -> None:
        late = task(
            order(bek.shop, status="paid"),
            aida,
            deadline=timezone.now() - timedelta(minutes=5),
            late_at=timezone.now(),
        )
        happened(TaskLate(task_id=late.pk, shop_id=bek.shop_id, florist_id=aida.pk))
        assert [user_id for user_id, _ in told("task_late")] == ids(bek, aida)

    def test_the_maker_hears_of_a_return_with_its_reason(self, aida: Employee) -> None:
        placed = order(aida.shop, status="paid")
        back = task(placed, aida, status="in_progress", returns=1, quality_notes="Too short")
        happened(TaskMoved(task_id=back.pk, shop_id=aida.shop_id, order_id=placed.pk, status="in_progress", by_id=None))
        assert told("task_returned") == [(aida.user_id, f"Task {back.pk} came back: Too short")]

    def test_beginning_a_task_is_no_return(self, aida: Employee) -> None:
        placed = order(aida.shop, status="paid")
        begun = task(placed, aida, status="in_progress")
        fact = TaskMoved(task_id=begun.pk, shop_id=aida.shop_id, order_id=placed.pk, status="in_progress", by_id=1)
        happened(fact)
        assert told("task_returned") == []

    def test_managers_hear_of_missing_flowers_again_with_another_note(self, bek: Employee, aida: Employee) -> None:
        short = task(order(bek.shop, status="paid"), aida, is_short=True)
        for note in ("No roses", "No tulips either"):
            ProductionTask.objects.filter(pk=short.pk).update(shortage_note=note)
            happened(ShortageReported(task_id=short.pk, shop_id=bek.shop_id))
        bodies = Notification.objects.filter(kind="task_short").order_by("id").values_list("user_id", "body")
        assert list(bodies) == [(bek.user_id, "No roses"), (bek.user_id, "No tulips either")]


class TestBringing:
    def test_the_courier_hears_of_a_run_and_its_end(self, ruslan: Employee) -> None:
        run = DeliveryRun.objects.create(shop=ruslan.shop, courier=ruslan, day=timezone.now().date())
        Stop.objects.create(run=run, order=order(ruslan.shop), position=1)
        happened(RunChanged(run_id=run.pk, shop_id=run.shop_id, courier_id=ruslan.pk, status="planned"))
        DeliveryRun.objects.filter(pk=run.pk).update(status="cancelled", updated_at=timezone.now())
        happened(RunChanged(run_id=run.pk, shop_id=run.shop_id, courier_id=ruslan.pk, status="cancelled"))
        assert [title for _, title in told("run_changed")] == [f"Run {run.pk}: 1 stops", f"Run {run.pk} is cancelled"]

    def test_managers_hear_of_a_shut_door(self, bek: Employee, ruslan: Employee) -> None:
        run = DeliveryRun.objects.create(shop=bek.shop, courier=ruslan, day=timezone.now().date())
        stop = Stop.objects.create(run=run, order=order(bek.shop), position=1)
        DeliveryAttempt.objects.create(stop=stop, reason="not_home", next_step="call", by=ruslan)
        happened(
            StopFailed(
                stop_id=stop.pk, order_id=stop.order_id, shop_id=bek.shop_id, reason="not_home", next_step="call"
            )
        )
        words = f"Order {stop.order_id} was not handed over: nobody at home, the manager calls"
        assert told("stop_failed") == [(bek.user_id, words)]


class TestStockAndDates:
    def test_low_stock_is_said_once_a_day(self, bek: Employee) -> None:
        for left in (5, 3):
            happened(StockRanLow(shop_id=bek.shop_id, variety="Red Naomi", available=left))
        assert told("stock_low") == [(bek.user_id, "Red Naomi: 5 stems left")]

    def test_faults_are_said(self, bek: Employee) -> None:
        happened(StockDisagrees(shop_id=bek.shop_id, faults=2))
        assert told("stock_disagrees") == [(bek.user_id, "Stock does not add up in 2 places")]

    def test_the_owner_of_two_shops_hears_of_both(self, olga: Employee, tulip: Shop) -> None:
        second = cast.employee(tulip, "admin", user=olga.user)
        for shop_id in (olga.shop_id, second.shop_id):
            happened(
                StockRanLow(shop_id=shop_id, variety="Red Naomi", available=5),
                StockDisagrees(shop_id=shop_id, faults=2),
            )
            talk.of_old_stock(shop_id=shop_id, variety="Red Naomi", stems=3)
        assert (len(told("stock_low")), len(told("stock_disagrees"))) == (4, 2)

    def test_managers_hear_nothing_of_what_is_switched_off(self, olga: Employee, bek: Employee) -> None:
        other = cast.employee(bek.shop, "manager", "Cem", permissions={"orders": False})
        Employee.objects.filter(pk=bek.pk).update(permissions={"warehouse": False})
        placed = order(olga.shop)
        happened(
            StockDisagrees(shop_id=olga.shop_id, faults=2),
            OrderCreated(order_id=placed.pk, shop_id=olga.shop_id, source="crm"),
        )
        assert [user_id for user_id, _ in told("stock_disagrees")] == ids(olga, other)
        assert [user_id for user_id, _ in told("order_created")] == ids(olga, bek)

    def test_a_stopped_standing_order_is_said(self, bek: Employee) -> None:
        customer = cast.customer(bek.shop, "Ivan")
        row = StandingOrder.objects.create(shop=bek.shop, customer=customer, next_day=timezone.now().date(), items=[])
        happened(StandingOrderStopped(standing_id=row.pk, shop_id=bek.shop_id, code="x"))
        assert told("standing_stopped") == [
            (bek.user_id, f"Standing order {row.pk} of Ivan could not be made and pauses")
        ]

    def test_the_buyer_is_reminded_with_a_link_if_he_agreed(self, rosa: Shop) -> None:
        Shop.objects.update(language="en")
        agreed = cast.customer(rosa, "Ivan")
        silent = cast.customer(rosa, "Oleg", agrees_to_reminders=False)
        last = order(rosa, customer=agreed, status="completed")
        OrderItem.objects.create(
            order=last,
            product=cast.product(rosa),
            product_name="Red roses",
            product_category="bouquet",
            quantity=1,
            price=10_000,
            total=10_000,
        )
        for customer in (agreed, silent):
            row = ImportantDate.objects.create(customer=customer, date="05-20", description="Birthday")
            happened(DateApproaches(date_id=row.pk, shop_id=rosa.pk, customer_id=customer.pk, day="2027-05-20"))
        row = Notification.objects.get(kind="buyer_date")
        assert row.user.phone == agreed.phone
        assert "Birthday is on 20.05" in row.body
        assert "/track/repeat/" in row.body


def test_those_who_left_are_told_nothing(olga: Employee, bek: Employee) -> None:
    Employee.objects.filter(pk=bek.pk).update(is_active=False)
    happened(StockDisagrees(shop_id=olga.shop_id, faults=1))
    assert [user_id for user_id, _ in told("stock_disagrees")] == [olga.user_id]


def test_rows_that_are_gone_are_nobodys_news(rosa: Shop) -> None:
    happened(
        OrderCreated(order_id=0, shop_id=rosa.pk, source="crm"),
        OrderMoved(order_id=0, shop_id=rosa.pk, old_status="new", new_status="delivery", by_id=None),
        TaskAssigned(task_id=0, shop_id=rosa.pk, florist_id=0),
        TaskLate(task_id=0, shop_id=rosa.pk, florist_id=None),
        RunChanged(run_id=0, shop_id=rosa.pk, courier_id=0, status="planned"),
        StopFailed(stop_id=0, order_id=0, shop_id=rosa.pk, reason="x", next_step="y"),
        DateApproaches(date_id=0, shop_id=rosa.pk, customer_id=0, day="2027-05-20"),
    )
    assert not Notification.objects.exists()


def test_phones_stay_out_of_the_logs(bek: Employee, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    placed = order(bek.shop, customer_phone="+77029876543")
    happened(
        OrderCreated(order_id=placed.pk, shop_id=bek.shop_id, source="crm"),
        OrderMoved(order_id=placed.pk, shop_id=bek.shop_id, old_status="x", new_status="delivery", by_id=None),
    )
    assert "9876543" not in caplog.text
