"""Sixty days of orders, lived through one by one, so that stock, reservations and cash add up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Sum

from apps.florist.models import (
    Batch,
    Comment,
    CourierDay,
    Customer,
    DeliveryRun,
    Employee,
    FlowerCategory,
    Movement,
    Order,
    OrderHistory,
    OrderItem,
    ProductComponent,
    ProductionTask,
    StandingOrder,
    StockReservation,
    Stop,
    Supply,
    SupplyItem,
    TaskItem,
)
from apps.florist.seeding import samples
from apps.florist.seeding.house import House


# ── Sixty days ──────────────────────────────────────────────────────────────────────────────────────────────────────
def live_through(house: House, pace: int) -> None:
    """`pace` orders a day until yesterday, and the busy orders of today."""
    for days_ago in range(samples.DAYS, -1, -1):
        day = house.today - timedelta(days=days_ago)
        if days_ago % 4 == 0:
            _receive(house, day)
        _throw_away(house, day)
        busy = [_past_order(house, day) for _ in range(pace)] if days_ago else _todays(house)
        _drive(house, day, busy)
    _stand(house)
    house.chest.empty(Movement, OrderHistory, StockReservation, TaskItem, Comment)
    Batch.objects.bulk_update(house.lots, ["qty", "reserved_qty"], batch_size=samples.BATCH)


def _receive(house: House, day: date) -> None:
    """A supplier comes: one supply, one batch a variety."""
    categories = {row.name: row for row in FlowerCategory.objects.filter(shop=house.shop)}
    supply = Supply.objects.create(
        shop=house.shop,
        supplier="Flora Trade",
        farm="Naivasha",
        delivery_date=day,
        total_cost=sum(row[3] * row[4] for row in samples.FLOWERS),
        created_by=house.people["manager"][0],
        created_at=house.at(day, 8),
    )
    for flower in samples.FLOWERS:
        lot = _unpack(supply, flower, categories[flower[2]])
        house.lots.append(lot)
        _move(house, lot, flower[4], "in", "receipt", supply.created_at, ("supply", supply.pk))


def _unpack(supply: Supply, flower: tuple[str, int, str, int, int], kind: FlowerCategory) -> Batch:
    variety, height, _category, cost, often = flower
    day, price = supply.delivery_date, Decimal(cost * 2)
    item = SupplyItem.objects.create(
        supply=supply,
        flower_name=variety,
        height_cm=height,
        purchase_price=cost,
        quantity=often,
        retail_price=price,
        total_cost=cost * often,
        category=kind,
        created_at=supply.created_at,
    )
    return Batch.objects.create(
        shop=supply.shop,
        sku=f"S{supply.pk}-{day:%Y%m%d}-{item.pk}",
        batch_code=f"B{day:%Y%m%d}",
        variety=variety,
        height_cm=height,
        farm=supply.farm or "",
        supplier=supply.supplier,
        delivery_date=day,
        expires_on=day + timedelta(days=kind.shelf_life_days),
        cost=cost,
        recommended_price=price,
        price=price,
        category=kind,
        supply_item=item,
        on_showcase=True,
        created_at=supply.created_at,
    )


def _move(
    house: House, lot: Batch, stems: int, kind: str, reason: str, at: datetime, of: tuple[str, int | None]
) -> None:
    before, lot.qty = lot.qty, lot.qty + stems
    house.chest.put(
        Movement(
            shop=house.shop,
            warehouse_item=lot,
            type=kind,
            reason=reason,
            quantity=stems,
            unit_cost=lot.cost,
            reference_type=of[0],
            reference_id=of[1],
            qty_before=before,
            qty_after=lot.qty,
            created_at=at,
        )
    )


def _throw_away(house: House, day: date) -> None:
    """What is past its days goes, unless an open order waits for it."""
    for lot in house.lots:
        if lot.expires_on and lot.expires_on < day and lot.available_qty:
            stems = -lot.available_qty
            _move(house, lot, stems, "out", "waste_expired", house.at(day, 8, 30), ("waste", None))


@dataclass
class Life:
    """One order that is about to be written, with its lines."""

    order: Order
    items: list[OrderItem]


def _past_order(house: House, day: date) -> Life:
    status = "cancelled" if house.dice.randrange(samples.CALLED_OFF) == 0 else "completed"
    return _order(house, day, status)


def _todays(house: House) -> list[Life]:
    return [_order(house, house.today, status) for status in samples.TODAY]


def _order(house: House, day: date, status: str) -> Life:
    buyer, product = house.dice.choice(house.customers), house.dice.choice(house.products)
    pieces = 1 if house.dice.random() < 0.85 else 2
    order = _draft(house, day, status, buyer, product.current_price * pieces)
    order.save(force_insert=True)
    item = OrderItem.objects.create(
        order=order,
        product=product,
        product_name=product.name,
        product_category=product.category,
        quantity=pieces,
        price=product.current_price,
        total=product.current_price * pieces,
    )
    life = Life(order, [item])
    _tell_history(house, order)
    _take_stems(house, life)
    _make(house, life)
    return life


def _draft(house: House, day: date, status: str, buyer: Customer, goods: Decimal) -> Order:
    start, end = house.dice.choice(samples.WINDOWS)
    is_pickup = house.dice.random() < 0.2 and status != "delivery"
    zone = None if is_pickup else house.dice.choice(house.zones)
    fee = zone.price if zone else Decimal(0)
    created = house.at(day - timedelta(days=1), house.dice.randint(10, 19), house.dice.randint(0, 59))
    return Order(
        shop=house.shop,
        status=status,
        customer=buyer,
        customer_phone=buyer.phone,
        recipient_phone=f"+7705{house.dice.randint(1_000_000, 9_999_999)}",
        recipient_name=house.dice.choice(samples.NAMES),
        address=None if is_pickup else house.homes[buyer.pk],
        address_needs_clarification=status == "new" and not is_pickup,
        delivery_method="self_pickup" if is_pickup else "delivery",
        delivery_zone=zone,
        delivery_from=house.at(day, start),
        delivery_to=house.at(day, end),
        flower_sum=goods,
        delivery_fee=fee,
        total=goods + fee,
        tracking_token=secrets.token_urlsafe(32),
        order_number=f"{100_000_000 + Order.objects.count()}",
        card_text="С днём рождения!" if house.dice.random() < 0.4 else None,
        source=house.dice.choice(("crm", "storefront", "instagram")),
        created_at=created,
        updated_at=created,
        **_people(house, status, is_pickup),
        **_money(house, status, goods + fee, created),
        **_ending(house, status, day, (start, end), created),
    )


def _people(house: House, status: str, is_pickup: bool) -> dict[str, Any]:
    has_courier = not is_pickup and status not in ("new", "cancelled", "paid")
    return {
        "assigned_florist": None if status in ("new", "cancelled") else house.one("florist"),
        "courier": house.one("courier") if has_courier else None,
    }


def _money(house: House, status: str, total: Decimal, created: datetime) -> dict[str, Any]:
    """Cash is paid at the door: until then the courier has it to collect."""
    method, is_paid = house.dice.choice(samples.METHODS), status not in ("new", "cancelled")
    paid = total if is_paid and (method != "cash" or status in ("completed", "delivered")) else Decimal(0)
    return {
        "payment_method": method,
        "paid_amount": paid,
        "payment_date": created + timedelta(minutes=20) if paid else None,
    }


def _ending(house: House, status: str, day: date, hours: tuple[int, int], created: datetime) -> dict[str, Any]:
    """When it was made, brought, completed or given up, and what went wrong."""
    start, end = house.at(day, hours[0]), house.at(day, hours[1])
    found: dict[str, Any] = {}
    if status in Order.WRITTEN_OFF:
        found["assembled_at"] = start - timedelta(minutes=40)
    if status in ("completed", "delivered"):
        found["delivered_at"] = start + timedelta(minutes=30)
    if status == "completed":
        found["completed_at"] = end
    if status == "cancelled":
        found |= {"cancelled_at": created + timedelta(hours=1), "cancel_reason": "Передумали"}
    if status == "issue":
        found |= {"status_before_issue": "paid", "has_issue": True, "issue_type": Order.Issue.RECIPIENT_UNAVAILABLE}
        found["issue_comment"] = "Не берёт трубку"
    return found


WAYS: dict[str, tuple[str, ...]] = {
    "new": (),
    "paid": ("paid",),
    "assembled": ("paid", "assembled"),
    "delivery": ("paid", "assembled", "delivery"),
    "delivered": ("paid", "assembled", "delivery", "delivered"),
    "completed": ("paid", "assembled", "delivery", "delivered", "completed"),
    "issue": ("paid", "issue"),
    "cancelled": ("cancelled",),
}
"""Status → the way there."""


def _tell_history(house: House, order: Order) -> None:
    manager, moment, before = house.people["manager"][0], order.created_at, "new"
    house.chest.put(OrderHistory(order=order, event_type="created", new_status="new", by=manager, created_at=moment))
    for step in WAYS[order.status]:
        after = "self_pickup" if step == "delivery" and order.delivery_method == "self_pickup" else step
        moment += timedelta(minutes=25)
        house.chest.put(
            OrderHistory(
                order=order,
                event_type="issue_reported" if step == "issue" else "status_changed",
                old_status=before,
                new_status=after,
                by=manager,
                created_at=moment,
            )
        )
        before = after


def _take_stems(house: House, life: Life) -> None:
    """First in, first out; open orders hold their stems, made ones have taken them."""
    order = life.order
    if order.status == "cancelled":
        return
    is_out = order.status in Order.WRITTEN_OFF
    moment = order.assembled_at or order.created_at
    for item in life.items:
        for line in house.recipes[item.product_id]:
            _take(house, item, line, int(line.quantity * item.quantity), is_out, moment)
        item.is_reserved, item.is_written_off = not is_out, is_out
        item.reserved_at, item.written_off_at = order.created_at, moment if is_out else None
        item.save(update_fields=["is_reserved", "is_written_off", "reserved_at", "written_off_at"])


def _take(house: House, item: OrderItem, line: ProductComponent, stems: int, is_out: bool, moment: datetime) -> None:
    fresh = (lot for lot in house.lots if lot.variety == line.variety and lot.available_qty)
    for lot in fresh:
        part = min(stems, lot.available_qty)
        house.chest.put(
            StockReservation(
                shop=house.shop,
                order_item=item,
                batch=lot,
                for_variety=line.variety,
                for_height_cm=line.height_cm,
                qty=part,
                state="written_off" if is_out else "held",
                created_at=item.order.created_at,
                closed_at=moment if is_out else None,
            )
        )
        if is_out:
            _move(house, lot, -part, "out", "order", moment, ("order", item.order_id))
        else:
            lot.reserved_qty += part
        stems -= part
        if not stems:
            return


def _make(house: House, life: Life) -> None:
    """The florist's task of a paid order, in the state that fits."""
    order = life.order
    if order.status in ("new", "cancelled") or life.items[0].product_category not in ("bouquet", "composition"):
        return
    status = (
        "completed" if order.status in Order.WRITTEN_OFF else house.dice.choice(("pending", "assigned", "in_progress"))
    )
    begun = (order.delivery_from or order.created_at) - timedelta(hours=2)
    minutes = 15 * life.items[0].quantity
    task = ProductionTask.objects.create(
        shop=house.shop,
        order=order,
        task_type=life.items[0].product_category,
        estimated_minutes=minutes,
        deadline=order.delivery_from,
        instructions=order.card_text,
        florist=None if status == "pending" else order.assigned_florist,
        status=status,
        assigned_at=None if status == "pending" else begun,
        started_at=begun if status in ("in_progress", "completed") else None,
        first_started_at=begun if status in ("in_progress", "completed") else None,
        finished_at=begun + timedelta(minutes=minutes) if status == "completed" else None,
        completed_at=begun + timedelta(minutes=minutes + 5) if status == "completed" else None,
        actual_minutes=minutes + house.dice.randint(-4, 12) if status == "completed" else None,
        quality_score=house.dice.choice((4, 5, 5)) if status == "completed" else None,
        checked_by=house.people["manager"][0] if status == "completed" else None,
        created_at=order.created_at,
    )
    done = status == "completed"
    house.chest.put(TaskItem(task=task, order_item=life.items[0], quantity=life.items[0].quantity, is_completed=done))


def _drive(house: House, day: date, lives: list[Life]) -> None:
    """Each courier's run of the day, and the day he closed."""
    for courier in house.people["courier"]:
        own = [life.order for life in lives if life.order.courier_id == courier.pk]
        if own:
            _run(house, day, courier, own)


def _run(house: House, day: date, courier: Employee, orders: list[Order]) -> None:
    is_past = day < house.today
    run = DeliveryRun.objects.create(
        shop=house.shop,
        courier=courier,
        day=day,
        status="finished" if is_past else "started",
        accepted_at=house.at(day, 8, 40),
        started_at=house.at(day, 8, 50),
        finished_at=house.at(day, 21) if is_past else None,
    )
    stops = Stop.objects.bulk_create(_stop(run, place, order) for place, order in enumerate(orders, 1))
    if is_past:
        cash = sum((stop.cash_received for stop in stops), Decimal(0))
        CourierDay.objects.create(
            shop=house.shop,
            courier=courier,
            day=day,
            delivered=len(stops),
            failed=0,
            cash_expected=cash,
            cash_handed=cash,
            accepted_by=house.people["manager"][0],
            accepted_at=house.at(day, 21, 30),
        )


def _stop(run: DeliveryRun, place: int, order: Order) -> Stop:
    done = order.status in ("completed", "delivered")
    cash = order.total if order.payment_method == "cash" else Decimal(0)
    return Stop(
        run=run,
        order=order,
        position=place,
        status="delivered" if done else "picked_up" if order.status == "delivery" else "waiting",
        cash_received=cash if done else Decimal(0),
        picked_up_at=order.assembled_at if done or order.status == "delivery" else None,
        delivered_at=order.delivered_at,
        receiver_name=order.recipient_name or "" if done else "",
    )


def _stand(house: House) -> None:
    """Companies that want flowers every week."""
    roses = house.products[0]
    StandingOrder.objects.bulk_create(
        StandingOrder(
            shop=house.shop,
            customer=buyer,
            every_days=7,
            next_day=house.today + timedelta(days=3 + place),
            items=[{"product_id": roses.pk, "quantity": 1}],
            details={"delivery_method": "delivery", "address": house.homes[buyer.pk], "zone_id": house.zones[0].pk},
            is_invoiced=place == 0,
        )
        for place, buyer in enumerate(house.customers[:3])
    )


def count_buyers(house: House) -> None:
    """Figures of the buyers as the shop counts them: paid orders only."""
    sold = Order.objects.filter(shop=house.shop, status__in=Order.PAID_OR_LATER).values("customer_id")
    figures = {
        row["customer_id"]: row for row in sold.annotate(n=Count("pk"), spent=Sum("total"), last=Max("created_at"))
    }
    for person in house.customers:
        if found := figures.get(person.pk):
            person.orders_count, person.total_spent = found["n"], found["spent"]
            person.last_order_date, person.is_vip = found["last"], found["spent"] > 100_000
    Customer.objects.bulk_update(
        house.customers, ["orders_count", "total_spent", "last_order_date", "is_vip"], batch_size=samples.BATCH
    )
