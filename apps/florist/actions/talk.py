"""Who is told what: staff by inbox, socket, push and bot, buyers by bot or text message (contract florist 3.17).

Everything here is called after commit and bears being called twice: each saying has a key. Texts are plain, so that a
name or an address cannot smuggle markup into them.
"""

from __future__ import annotations

import logging
import zlib
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.accounts.models import User
from apps.core import phones
from apps.core.errors import Refused
from apps.florist import access
from apps.florist.access import Role
from apps.florist.actions import repeats
from apps.florist.actions.orders import STOREFRONT
from apps.florist.conf import PRODUCT
from apps.florist.models import (
    BuyerTexts,
    Comment,
    DeliveryAttempt,
    DeliveryRun,
    Employee,
    ImportantDate,
    Order,
    OrderPhoto,
    ProductionTask,
    Shop,
    StandingOrder,
    Stop,
)
from apps.notifications import actions as notifications
from apps.notifications.actions import Saying
from apps.notifications.channels import BOT, INBOX, PUSH, SMS, SOCKET, register_kind
from apps.notifications.models import Notification

log = logging.getLogger(__name__)

STAFF = (INBOX, SOCKET, PUSH, BOT)
MOST_LINES = 10
"""Lines of an order that a message repeats."""

PREVIEW = 80
"""Letters of a comment that a message repeats."""

Words = str | Promise

KINDS: dict[str, tuple[tuple[str, ...], Words]] = {
    "order_created": (STAFF, _("New order")),
    "order_issue": (STAFF, _("Problem with an order")),
    "order_comment": (STAFF, _("Comment of a buyer")),
    "photo_judged": (STAFF, _("A buyer judged a bouquet")),
    "order_assigned": (STAFF, _("Order to deliver")),
    "task_assigned": (STAFF, _("New task")),
    "task_late": (STAFF, _("Task is late")),
    "task_short": (STAFF, _("Flowers are missing")),
    "task_returned": (STAFF, _("Bouquet returned by the check")),
    "run_changed": (STAFF, _("Run of a courier")),
    "stop_failed": (STAFF, _("Delivery failed")),
    "stock_low": (STAFF, _("Stock runs low")),
    "stock_disagrees": (STAFF, _("Stock does not add up")),
    "standing_stopped": (STAFF, _("Standing order pauses")),
    "texts_used": (STAFF, _("Text messages to buyers are used up")),
    "welcome": (STAFF, _("Welcome")),
    "buyer_photo": ((BOT, SMS), _("Photo of the bouquet")),
    "buyer_order": ((BOT, SMS), _("State of an order")),
    "buyer_date": ((BOT, SMS), _("Reminder of a date")),
}
"""Kind → its usual channels and what it is called in the settings."""

LOUD = frozenset({"task_late", "run_changed", "order_assigned"})
"""Quiet hours do not hold these back: somebody is waiting at a door."""

OF_STOCK = frozenset({"stock_low", "stock_disagrees"})
"""These are for those who may look at the warehouse; the rest for those who may look at orders."""

TO_BUYERS: dict[str, Words] = {
    Order.Status.DELIVERY: _("{shop}: your order {number} is on its way. {link}"),
    Order.Status.SELF_PICKUP: _("{shop}: your order {number} can be picked up. {link}"),
    Order.Status.DELIVERED: _("{shop}: your order {number} is delivered. {link}"),
    Order.Status.CANCELLED: _("{shop}: your order {number} is cancelled. {link}"),
}
"""Statuses that buyers hear of."""

RUN_WORDS: dict[str, Words] = {
    DeliveryRun.Status.PLANNED: _("Run {number}: {stops} stops"),
    DeliveryRun.Status.CANCELLED: _("Run {number} is cancelled"),
}
"""What a courier hears; the other steps are his own."""


def register_kinds() -> None:
    """Once, when the product starts."""
    for kind, (channels, label) in KINDS.items():
        register_kind(kind, channels, label, product=PRODUCT, rings_at_night=kind in LOUD)


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def of_new_order(*, order_id: int) -> None:
    """Owners and managers: number, buyer, phone, address, lines, sums, link."""
    order = _order(order_id)
    if order is None:
        return
    lines = list(order.items.all()[: MOST_LINES + 1])
    shown = [f"{line.product_name} × {line.quantity} – {line.total:.0f}" for line in lines[:MOST_LINES]]
    facts = {
        "number": order.pk,
        "customer": (order.customer.name if order.customer else "") or "–",
        "phone": order.customer_phone,
        "address": order.address or Order.Method(order.delivery_method).label,
        "lines": "\n".join([*shown, *(["…"] if len(lines) > MOST_LINES else [])]) or "–",
        "goods": f"{order.flower_sum:.0f}",
        "fee": f"{order.delivery_fee:.0f}",
        "total": f"{order.total:.0f} {order.shop.currency}",
    }
    body = _("{customer}, {phone}\n{address}\n{lines}\nGoods {goods}, delivery {fee}, together {total}")
    link = (_("Open the order"), _address(f"/desk/manager/orders/{order.pk}/"))
    _tell_managers(
        order.shop,
        "order_created",
        _("New order {number}"),
        body,
        facts,
        {"order_id": order.pk},
        f"new:{order.pk}",
        link,
    )


def of_move(*, order_id: int, status: str) -> None:
    """The buyer, of steps that he cares about; managers, of problems."""
    order = _order(order_id)
    if order is None:
        return
    if status == Order.Status.ISSUE:
        _of_issue(order)
    words = TO_BUYERS.get(status)
    if words and not (status == Order.Status.CANCELLED and _is_unproved(order)):
        _tell_buyer(order, "buyer_order", words, f"order:{order.pk}:{status}")


def _is_unproved(order: Order) -> bool:
    """A stranger typed the phone and nobody paid: its owner may never have heard of us."""
    return order.source == STOREFRONT and order.payment_date is None


def _of_issue(order: Order) -> None:
    last = order.history.filter(new_status=Order.Status.ISSUE).last()
    facts = {
        "number": order.pk,
        "kind": Order.Issue(order.issue_type).label if order.issue_type else "–",
        "words": order.issue_comment or "",
    }
    _tell_managers(
        order.shop,
        "order_issue",
        _("Problem with order {number}: {kind}"),
        "{words}",
        facts,
        {"order_id": order.pk},
        f"issue:{order.pk}:{last.pk if last else 0}",
    )


def of_courier(*, order_id: int) -> None:
    """The courier who got an order, unless he is told of a whole run."""
    order = _order(order_id)
    if order is None or order.courier is None or order.stops.filter(status__in=Stop.OPEN).exists():
        return
    facts = {"number": order.pk, "address": order.address or "–"}
    key = f"courier:{order.pk}:{order.courier_id}"
    _tell(
        [order.courier],
        "order_assigned",
        _("Order {number} is yours"),
        _("{address}"),
        facts,
        order.shop_id,
        {"order_id": order.pk},
        key,
    )


def of_photo(*, photo_id: int) -> None:
    """The buyer, of the finished bouquet before it leaves."""
    photo = OrderPhoto.objects.select_related("order__shop", "order__customer").filter(pk=photo_id).first()
    if photo is not None and photo.photo_type == OrderPhoto.Type.PRE_DELIVERY:
        words = _("{shop}: look at your bouquet before it leaves, order {number}. {link}")
        _tell_buyer(photo.order, "buyer_photo", words, f"photo:{photo.order_id}")


def of_judgement(*, photo_id: int) -> None:
    """Managers and the florist, of what the buyer thinks of the bouquet."""
    photo = OrderPhoto.objects.select_related("order__shop", "order__assigned_florist").filter(pk=photo_id).first()
    if photo is None or not photo.customer_feedback:
        return
    order = photo.order
    facts = {
        "number": order.pk,
        "feedback": OrderPhoto.Feedback(photo.customer_feedback).label,
        "words": photo.feedback_comment or "",
    }
    audience = [*_managers(order.shop), *([order.assigned_florist] if order.assigned_florist else [])]
    title = _("Order {number}: the buyer {feedback}")
    _tell(
        audience, "photo_judged", title, "{words}", facts, order.shop_id, {"order_id": order.pk}, f"judged:{photo.pk}"
    )


def of_comment(*, comment_id: int) -> None:
    """Managers, of a word of the buyer."""
    said = Comment.objects.select_related("order__shop").filter(pk=comment_id).first()
    if said is None or said.author_type != Comment.Author.CUSTOMER:
        return
    facts = {"number": said.order_id, "words": said.text[:PREVIEW]}
    _tell_managers(
        said.order.shop,
        "order_comment",
        _("Order {number}: the buyer writes"),
        "{words}",
        facts,
        {"order_id": said.order_id},
        f"comment:{said.pk}",
    )


# ── making ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def of_task(*, task_id: int, florist_id: int, by_id: int | None) -> None:
    """The florist who got a task from somebody else."""
    task = ProductionTask.objects.select_related("florist", "shop").filter(pk=task_id, florist_id=florist_id).first()
    if task is None or task.florist is None or by_id == florist_id:
        return
    at = task.assigned_at.timestamp() if task.assigned_at else 0
    title = _("Task {number} is yours: {kind}, until {time}")
    _tell_florist(task, "task_assigned", title, f"task:{task.pk}:{florist_id}:{at:.0f}")


def of_late_task(*, task_id: int) -> None:
    """Its florist and the managers."""
    task = ProductionTask.objects.select_related("florist", "shop").filter(pk=task_id).first()
    if task is None:
        return
    at = task.late_at.timestamp() if task.late_at else 0
    title = _("Task {number} is late: {kind}, it was due at {time}")
    _tell_florist(task, "task_late", title, f"late:{task.pk}:{at:.0f}", also=_managers(task.shop))


def of_returned_task(*, task_id: int) -> None:
    """The maker, with the reason of the check."""
    task = ProductionTask.objects.select_related("florist", "shop").filter(pk=task_id).first()
    if task is not None and task.returns and task.status == ProductionTask.Status.IN_PROGRESS:
        _tell_florist(task, "task_returned", _("Task {number} came back: {notes}"), f"return:{task.pk}:{task.returns}")


def _tell_florist(task: ProductionTask, kind: str, title: Words, key: str, also: list[Employee] | None = None) -> None:
    due = task.deadline.astimezone(ZoneInfo(task.shop.timezone)) if task.deadline else None
    facts = {
        "number": task.pk,
        "kind": ProductionTask.Type(task.task_type).label,
        "time": f"{due:%d.%m %H:%M}" if due else "–",
        "notes": task.quality_notes or "–",
    }
    audience = [*([task.florist] if task.florist else []), *(also or [])]
    payload = {"task_id": task.pk, "order_id": task.order_id}
    _tell(audience, kind, title, "", facts, task.shop_id, payload, key)


def of_shortage(*, task_id: int) -> None:
    """Managers: a florist cannot find the flowers."""
    task = ProductionTask.objects.select_related("shop").filter(pk=task_id).first()
    if task is None:
        return
    facts = {"number": task.order_id, "words": task.shortage_note or "–"}
    payload = {"task_id": task.pk, "order_id": task.order_id}
    key = f"short:{task.pk}:{zlib.crc32(task.shortage_note.encode()):x}"
    title = _("Flowers are missing for order {number}")
    _tell_managers(task.shop, "task_short", title, "{words}", facts, payload, key)


# ── bringing ────────────────────────────────────────────────────────────────────────────────────────────────────────
def of_run(*, run_id: int, status: str) -> None:
    """The courier: a run was planned, changed or cancelled."""
    run = DeliveryRun.objects.select_related("courier", "shop").filter(pk=run_id).first()
    words = RUN_WORDS.get(status)
    if run is None or words is None or run.status != status:
        return
    facts = {"number": run.pk, "stops": run.stops.filter(status__in=Stop.OPEN).count()}
    key = f"run:{run.pk}:{status}:{run.updated_at.timestamp():.3f}"
    _tell([run.courier], "run_changed", words, "", facts, run.shop_id, {"run_id": run.pk}, key)


def of_failed_stop(*, stop_id: int) -> None:
    """Managers: a door stayed shut, and what the courier does next."""
    stop = Stop.objects.select_related("order__shop").filter(pk=stop_id).first()
    attempt = stop.attempts.last() if stop else None
    if stop is None or attempt is None:
        return
    facts = {
        "number": stop.order_id,
        "reason": DeliveryAttempt.Reason(attempt.reason).label,
        "next": DeliveryAttempt.Next(attempt.next_step).label,
    }
    payload = {"order_id": stop.order_id, "stop_id": stop.pk, "run_id": stop.run_id}
    title = _("Order {number} was not handed over: {reason}, {next}")
    _tell_managers(stop.order.shop, "stop_failed", title, "", facts, payload, f"attempt:{attempt.pk}")


# ── stock, buyers' dates, the shop ──────────────────────────────────────────────────────────────────────────────────
def of_low_stock(*, shop_id: int, variety: str, available: int) -> None:
    """Managers, once a day per variety."""
    shop = Shop.objects.get(pk=shop_id)
    facts = {"variety": variety, "available": available}
    key = f"low:{shop.pk}:{_today(shop)}:{variety}"[:100]
    title = _("{variety}: {available} stems left")
    _tell_managers(shop, "stock_low", title, "", facts, {"variety": variety}, key)


def of_old_stock(*, shop_id: int, variety: str, stems: int) -> None:
    """Managers, once a day per variety: sell these first."""
    shop = Shop.objects.get(pk=shop_id)
    facts = {"variety": variety, "stems": stems}
    key = f"old:{shop.pk}:{_today(shop)}:{variety}"[:100]
    title = _("{variety}: {stems} stems get old, sell them first")
    _tell_managers(shop, "stock_low", title, "", facts, {"variety": variety}, key)


def of_faulty_stock(*, shop_id: int, faults: int) -> None:
    """Managers, once a day: the nightly check found something."""
    shop = Shop.objects.get(pk=shop_id)
    title = _("Stock does not add up in {faults} places")
    _tell_managers(shop, "stock_disagrees", title, "", {"faults": faults}, {}, f"faults:{shop.pk}:{_today(shop)}")


def of_stopped_standing_order(*, standing_id: int) -> None:
    """Managers: a subscription could not be made."""
    standing = StandingOrder.objects.select_related("shop", "customer").filter(pk=standing_id).first()
    if standing is not None:
        facts = {"number": standing.pk, "name": standing.customer.name or f"#{standing.customer_id}"}
        key = f"standing:{standing.pk}:{standing.next_day}"
        title = _("Standing order {number} of {name} could not be made and pauses")
        _tell_managers(standing.shop, "standing_stopped", title, "", facts, {"standing_id": standing.pk}, key)


def of_date(*, date_id: int, day: str) -> None:
    """The buyer: a date is near; the link repeats his last order."""
    row = ImportantDate.objects.select_related("customer__shop").filter(pk=date_id).first()
    if row is None or not row.customer.agrees_to_reminders:
        return
    shop, when = row.customer.shop, date.fromisoformat(day)
    again = repeats.link(important=row, day=when)
    facts = {
        "shop": shop.name,
        "what": row.description,
        "day": f"{when:%d.%m}",
        "link": _address(again) if again else "",
        "phone": shop.phone,
    }
    words = _("{shop}: {what} is on {day}. Order flowers: {link} {phone}")
    _tell_phone(shop, row.customer.phone, "buyer_date", words, facts, {"date_id": row.pk}, f"date:{row.pk}:{day}")


def of_opening(*, employee_id: int) -> None:
    """The owner of a new shop."""
    employee = Employee.objects.select_related("shop").filter(pk=employee_id).first()
    if employee is not None:
        facts = {"name": employee.name, "shop": employee.shop.name}
        body = _("Products, delivery zones and flower categories are there to begin with.")
        _tell(
            [employee],
            "welcome",
            _("Welcome, {name}! {shop} is open"),
            body,
            facts,
            employee.shop_id,
            {},
            f"welcome:{employee.pk}",
        )


# ── how it is said ──────────────────────────────────────────────────────────────────────────────────────────────────
def _order(order_id: int) -> Order | None:
    rows = Order.objects.select_related("shop", "customer", "courier", "assigned_florist")
    return rows.filter(pk=order_id).first()


def _managers(shop: Shop, area: access.Area = "orders") -> list[Employee]:
    """Owners and those managers whose switches leave them the area."""
    rows = Employee.objects.filter(shop=shop, is_active=True, role__in=(Role.ADMIN, Role.MANAGER))
    return [employee for employee in rows.select_related("user") if access.may(employee, area, "read")]


def _tell_managers(
    shop: Shop,
    kind: str,
    title: Words,
    body: Words,
    facts: dict[str, Any],
    payload: dict[str, Any],
    key: str,
    link: tuple[Any, str] = ("", ""),
) -> None:
    area: access.Area = "warehouse" if kind in OF_STOCK else "orders"
    _tell(_managers(shop, area), kind, title, body, facts, shop.pk, payload, key, link)


def _tell(
    audience: list[Employee],
    kind: str,
    title: Words,
    body: Words,
    facts: dict[str, Any],
    shop_id: int,
    payload: dict[str, Any],
    key: str,
    link: tuple[Any, str] = ("", ""),
) -> None:
    """Each once, by the person behind the employee; those who left are not told."""
    ids = {employee.user_id for employee in audience if employee.is_active}
    everybody = User.objects.filter(pk__in=ids, is_active=True).order_by("pk")
    saying = Saying(PRODUCT, kind, title, body, {**payload, "shop_id": shop_id}, facts, link, f"{kind}:{key}")
    notifications.tell_many(users=everybody, saying=saying)


def _tell_buyer(order: Order, kind: str, words: Words, key: str) -> None:
    facts = {"shop": order.shop.name, "number": order.order_number, "link": _address(f"/track/{order.tracking_token}")}
    _tell_phone(order.shop, order.customer_phone, kind, words, facts, {"order_id": order.pk}, key)


def _tell_phone(
    shop: Shop, phone: str, kind: str, words: Words, facts: dict[str, Any], payload: dict[str, Any], key: str
) -> None:
    """By the bot whom it reaches, else by a text message, in the shop's language."""
    user = _person_of(phone)
    if user is None or not (user.is_reachable_by_bot or _is_served(user.phone or "")):
        return
    key = f"{kind}:{key}"
    if Notification.objects.of(user.pk, PRODUCT).filter(key=key).exists():
        return
    with transaction.atomic():
        notifications.tell(
            user=user,
            product=PRODUCT,
            kind=kind,
            title=KINDS[kind][1],
            body=words,
            facts=facts,
            payload={**payload, "shop_id": shop.pk},
            key=key,
            channels=(BOT,) if user.is_reachable_by_bot else _text_of(shop),
            language=shop.language if shop.language in ("ru", "en") else "ru",
        )


def _text_of(shop: Shop) -> tuple[str, ...]:
    """By a text message, counted; by nothing once the shop's day is used up: the row stays and managers are told.

    The caller's transaction holds the day's row: the shop's messages of one moment are counted one after the other.
    """
    most, today = settings.FLORIST.buyer_sms_per_day, _today(shop)
    BuyerTexts.objects.get_or_create(shop=shop, day=today)
    row = BuyerTexts.objects.select_for_update(of=("self",)).get(shop=shop, day=today)
    if not most or row.sent < most:
        BuyerTexts.objects.filter(pk=row.pk).update(sent=F("sent") + 1, updated_at=timezone.now())
        return (SMS,)
    log.warning("the day's texts to buyers are used up", extra={"shop_id": shop.pk, "most": most})
    title = _("Today's {most} text messages to buyers are used up; until midnight only the bot tells them")
    _tell_managers(shop, "texts_used", title, "", {"most": most}, {}, f"{shop.pk}:{today}")
    return ()


def _person_of(phone: str) -> User | None:
    """The person of the house with this phone; a buyer whom nobody knew becomes one, without a proof or a password."""
    try:
        number = phones.normalise(phone, "KZ")
        known = people.person(phone=number)
        return known if known or not _is_served(number) else accounts.register(phone=number)
    except Refused:  # not a phone, or somebody else was quicker: then there is nobody to tell
        return people.person(phone=phone)


def _is_served(phone: str) -> bool:
    """Whether the house pays for texts to this country."""
    return phone.startswith(settings.ACCOUNTS.allowed_phone_prefixes)


def _address(path: str) -> str:
    return settings.PUBLIC_URL.rstrip("/") + path


def _today(shop: Shop) -> str:
    return timezone.now().astimezone(ZoneInfo(shop.timezone)).date().isoformat()
