"""Messages follow facts: each handler is one call; all of them bear being run twice."""

from __future__ import annotations

from apps.core import events
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
    ShopOpened,
    ShortageReported,
    StandingOrderStopped,
    StockDisagrees,
    StockExpires,
    StockRanLow,
    StopFailed,
    TaskAssigned,
    TaskLate,
    TaskMoved,
)
from apps.florist.models import ProductionTask

talk.register_kinds()


@events.after(ShopOpened)
def welcome_the_owner(event: ShopOpened) -> None:
    talk.of_opening(employee_id=event.employee_id)


@events.after(OrderCreated)
def tell_managers_of_the_order(event: OrderCreated) -> None:
    talk.of_new_order(order_id=event.order_id)


@events.after(OrderMoved)
def tell_of_the_move(event: OrderMoved) -> None:
    talk.of_move(order_id=event.order_id, status=event.new_status)


@events.after(OrderEdited)
def tell_the_courier(event: OrderEdited) -> None:
    if "courier" in event.what:
        talk.of_courier(order_id=event.order_id)


@events.after(PhotoAdded)
def show_the_buyer(event: PhotoAdded) -> None:
    talk.of_photo(photo_id=event.photo_id)


@events.after(PhotoJudged)
def tell_of_the_judgement(event: PhotoJudged) -> None:
    talk.of_judgement(photo_id=event.photo_id)


@events.after(CommentAdded)
def tell_managers_of_the_comment(event: CommentAdded) -> None:
    talk.of_comment(comment_id=event.comment_id)


@events.after(TaskAssigned)
def tell_the_florist(event: TaskAssigned) -> None:
    talk.of_task(task_id=event.task_id, florist_id=event.florist_id, by_id=event.by_id)


@events.after(TaskMoved)
def tell_of_the_return(event: TaskMoved) -> None:
    if event.status == ProductionTask.Status.IN_PROGRESS:
        talk.of_returned_task(task_id=event.task_id)


@events.after(TaskLate)
def tell_of_the_late_task(event: TaskLate) -> None:
    talk.of_late_task(task_id=event.task_id)


@events.after(ShortageReported)
def tell_of_the_shortage(event: ShortageReported) -> None:
    talk.of_shortage(task_id=event.task_id)


@events.after(RunChanged)
def tell_the_courier_of_the_run(event: RunChanged) -> None:
    talk.of_run(run_id=event.run_id, status=event.status)


@events.after(StopFailed)
def tell_managers_of_the_shut_door(event: StopFailed) -> None:
    talk.of_failed_stop(stop_id=event.stop_id)


@events.after(StockRanLow)
def tell_of_low_stock(event: StockRanLow) -> None:
    talk.of_low_stock(shop_id=event.shop_id, variety=event.variety, available=event.available)


@events.after(StockExpires)
def tell_of_old_stock(event: StockExpires) -> None:
    talk.of_old_stock(shop_id=event.shop_id, variety=event.variety, stems=event.stems)


@events.after(StockDisagrees)
def tell_of_faulty_stock(event: StockDisagrees) -> None:
    talk.of_faulty_stock(shop_id=event.shop_id, faults=event.faults)


@events.after(StandingOrderStopped)
def tell_of_the_stopped_standing_order(event: StandingOrderStopped) -> None:
    talk.of_stopped_standing_order(standing_id=event.standing_id)


@events.after(DateApproaches)
def remind_the_buyer(event: DateApproaches) -> None:
    talk.of_date(date_id=event.date_id, day=event.day)
