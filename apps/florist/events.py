"""Facts of the flower shops. All carry ids and small values; words of people and phones never travel in them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


# ── People ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class ShopOpened(Event):
    """Somebody opened a shop and owns it."""

    shop_id: int
    employee_id: int


@dataclass(frozen=True)
class RightsChanged(Event):
    """Somebody's role or switches are others, or he works here no more."""

    employee_id: int
    shop_id: int


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class OrderCreated(Event):
    """An order was taken; its stems are reserved already where the shop reserves at once."""

    order_id: int
    shop_id: int
    source: str


@dataclass(frozen=True)
class OrderMoved(Event):
    """An order's status changed; published by `states` for every step."""

    order_id: int
    shop_id: int
    old_status: str
    new_status: str
    by_id: int | None


@dataclass(frozen=True)
class OrderEdited(Event):
    """Address, window, sums, florist or courier changed; `what` names the fields."""

    order_id: int
    shop_id: int
    what: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhotoAdded(Event):
    """A picture was put to an order."""

    order_id: int
    shop_id: int
    photo_id: int
    photo_type: str


@dataclass(frozen=True)
class PhotoJudged(Event):
    """The buyer said whether he likes the bouquet."""

    order_id: int
    shop_id: int
    photo_id: int
    feedback: str


@dataclass(frozen=True)
class CommentAdded(Event):
    """Something was said about an order."""

    order_id: int
    shop_id: int
    comment_id: int
    author_type: str


# ── Buyers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class DateApproaches(Event):
    """A buyer's important date is near and he has agreed to hear of it; said once a year. `day` is ISO."""

    date_id: int
    shop_id: int
    customer_id: int
    day: str


@dataclass(frozen=True)
class StandingOrderStopped(Event):
    """A standing order could not be made and pauses until somebody looks; `code` is the refusal's."""

    standing_id: int
    shop_id: int
    code: str


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class StockRanLow(Event):
    """A variety has fewer free stems than the shop wants."""

    shop_id: int
    variety: str
    available: int


@dataclass(frozen=True)
class StockExpires(Event):
    """Stems of a variety are too old or get so tomorrow: sell them first."""

    shop_id: int
    variety: str
    stems: int


@dataclass(frozen=True)
class StockDisagrees(Event):
    """The nightly check found batches whose movements do not add up, or reservations without an order."""

    shop_id: int
    faults: int


# ── Production ──────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class TaskAssigned(Event):
    """A florist got a task; `by_id` is the florist who took it, or whoever handed it out."""

    task_id: int
    shop_id: int
    florist_id: int
    by_id: int | None = None


@dataclass(frozen=True)
class TaskLate(Event):
    """A task's deadline has passed; said once, to its florist if it has one."""

    task_id: int
    shop_id: int
    florist_id: int | None


@dataclass(frozen=True)
class TaskMoved(Event):
    """A task's status changed; published by `states` for every step."""

    task_id: int
    shop_id: int
    order_id: int
    status: str
    by_id: int | None


@dataclass(frozen=True)
class ShortageReported(Event):
    """A florist cannot find the flowers of a task."""

    task_id: int
    shop_id: int


# ── Delivery ────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class RunChanged(Event):
    """A courier's run was planned, changed, or moved on."""

    run_id: int
    shop_id: int
    courier_id: int
    status: str


@dataclass(frozen=True)
class StopDelivered(Event):
    """Flowers were handed over."""

    stop_id: int
    order_id: int
    shop_id: int


@dataclass(frozen=True)
class StopFailed(Event):
    """A door stayed shut; `next_step` says what the courier does."""

    stop_id: int
    order_id: int
    shop_id: int
    reason: str
    next_step: str
