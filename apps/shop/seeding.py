"""Sample data for every screen of the shop: shelves with drawn pictures, people, a month of orders and their money."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Case, DateTimeField, F, QuerySet, When
from django.utils import timezone
from PIL import Image, ImageDraw

from apps.core.models import StepLog
from apps.core.money import Money
from apps.payments import actions as payments
from apps.payments.models import Payment, Refund
from apps.shop.actions import catalogue, customers, expiry, images, orders, placing, sessions, stock_watch
from apps.shop.actions import payments as money
from apps.shop.actions.placing import Wish
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Customer, Order, Slipper

SHELVES = {
    "Домашние": [
        ("Войлочные «Хива»", "38", 89_000, 14, "#b4532a"),
        ("Войлочные «Хива»", "41", 89_000, 9, "#b4532a"),
        ("Махровые «Облако»", "37", 65_000, 25, "#7aa6c2"),
        ("Махровые «Облако»", "40", 65_000, 2, "#7aa6c2"),
        ("Кожаные «Самарканд»", "43", 210_000, 6, "#5a3d2b"),
    ],
    "Пляжные": [
        ("Сланцы «Чарвак»", "39", 45_000, 40, "#1f9d8a"),
        ("Сланцы «Чарвак»", "42", 45_000, 31, "#1f9d8a"),
        ("Сабо «Волна»", "41", 72_000, 18, "#2f6fb3"),
    ],
    "Детские": [
        ("Тапочки «Зайка»", "26", 52_000, 22, "#d88fb0"),
        ("Тапочки «Мишка»", "28", 52_000, 0, "#9a7b4f"),
    ],
}
"""Shelf → (name, size, price in soum, pieces, colour of the picture)."""


BUYERS = (
    ("Nodira", "Yusupova", "+998901110001"),
    ("Sardor", "Aliev", "+998901110002"),
    ("Зарина", "Хасанова", "+998901110003"),
    ("Иван", "Петров", "+998901110004"),
    ("Elif", "Kaya", "+998901110005"),
)
ADMINISTRATOR = ("Kamola", "Rashidova", "+998901110009")
PASSWORD = "mahalla-demo"  # noqa: S105 - published on purpose; a production start refuses the sample house
WAYS_IN = (
    f"Nodira buys, Kamola administers the shop; the password is {PASSWORD}",
    'sign-in: curl -X POST {address}/shop/auth/login -d \'{"name": "Nodira", "password": "mahalla-demo"}\'',
)

DAYS = 29


@dataclass(frozen=True)
class Plan:
    """What became of some sample orders: `steps` after payment, what went `back` (a share), or how they ended."""

    count: int
    steps: tuple[str, ...] = ()
    back: Decimal | None = None
    failed_first: bool = False
    ended: str = ""


MONTH = (
    Plan(30, ("preparing", "ready", "delivered")),
    Plan(4, ("preparing", "ready", "delivered"), failed_first=True),
    Plan(3, ("preparing", "ready", "delivered"), back=Decimal("0.25")),
    Plan(2, ("preparing", "ready", "delivered"), back=Decimal(1)),
    Plan(2, back=Decimal(1)),
    Plan(5, ended="buyer"),
    Plan(6, ended="timer"),
    Plan(2, ended="staff"),
)
"""The past, in a mixed row."""

TODAY = (
    Plan(2, ("preparing", "ready")),
    Plan(2, ("preparing",)),
    Plan(3),
    Plan(2, ended="on delivery"),
    Plan(1, ended="open"),
)
"""What the shop is busy with now."""

WITHOUT_A_CALL = (Payment.Method.PAYME, Payment.Method.CLICK, Payment.Method.CASH)
"""Ways to pay that begin without a word to anybody outside: no bank answers while samples are planted."""

HOURS_AFTER_PAYMENT = {"preparing": 2, "ready": 5, "delivered": 26}


def seed() -> str:
    """Plant the catalogue and a month of orders once; a second call adds nothing."""
    done = [text for text in (_plant_catalogue(), _plant_orders()) if text]
    return ", ".join(done) or "already there"


# ── The catalogue ───────────────────────────────────────────────────────────────────────────────────────────────────
def _plant_catalogue() -> str:
    if Slipper.objects.exists():
        return ""
    for shelf, rows in SHELVES.items():
        category = catalogue.add_category(by=None, name=shelf)
        for name, size, price, pieces, colour in rows:
            made = catalogue.add(
                by=None, name=name, size=size, price=Decimal(price), quantity=pieces, category_id=category.pk
            )
            images.add(by=None, slipper_id=made.pk, files=[_drawing(colour)])
    cheaper = Slipper.objects.earliest("id")
    catalogue.change(by=None, slipper_id=cheaper.pk, changes={"price": cheaper.price - 10_000})
    stock_watch.look()
    return f"{Slipper.objects.count()} products on {len(SHELVES)} shelves"


def _drawing(colour: str) -> SimpleUploadedFile:
    """A pair of slippers in one colour: no photograph of anybody's has to travel with the project."""
    picture = Image.new("RGB", (640, 480), "#f4f1ea")
    pen = ImageDraw.Draw(picture)
    for left in (120, 350):
        pen.rounded_rectangle((left, 90, left + 170, 400), radius=85, fill=colour)
        pen.rounded_rectangle((left + 12, 120, left + 158, 250), radius=70, fill="#ffffff", outline=colour, width=10)
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=85)
    return SimpleUploadedFile("slippers.jpg", out.getvalue(), content_type="image/jpeg")


# ── A month of orders ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclass
class Month:
    """Who buys what, and one source of chance, so that every run of an empty shop makes the same month."""

    buyers: list[Customer]
    goods: list[Slipper]
    methods: list[str]
    now: datetime
    dice: random.Random


def _plant_orders() -> str:
    """Every order goes through the actions of the day; then what they wrote is moved to its place in the past."""
    if Order.objects.exists() or Customer.objects.filter(name=ADMINISTRATOR[0]).exists():
        return ""
    month = Month(
        buyers=_people(),
        goods=list(Slipper.objects.alive().filter(quantity__gt=5).order_by("id")),
        methods=[name for name in payments.offered_methods() if name in WITHOUT_A_CALL],
        now=timezone.now(),
        dice=random.Random("mahalla shop"),  # noqa: S311 - sample data
    )
    for plan, placed_at in (*_past(month), *_present(month)):
        _plant(month, plan, placed_at)
    return f"{Order.objects.count()} orders of {DAYS} days"


def _people() -> list[Customer]:
    """Buyers who came before the month began, and one administrator."""
    found = [_register(*words) for words in (*BUYERS, ADMINISTRATOR)]
    customers.set_admin(by=None, customer=found[-1], is_admin=True, reason="sample data")
    Customer.objects.filter(pk__in=[customer.pk for customer in found]).update(
        created_at=timezone.now() - timedelta(days=DAYS + 1)
    )
    return found[:-1]


def _register(name: str, surname: str, phone: str) -> Customer:
    return sessions.register(name=name, surname=surname, phone_number=phone, password=PASSWORD)


def _past(month: Month) -> Iterator[tuple[Plan, datetime]]:
    plans = [plan for plan in MONTH for _each in range(plan.count)]
    month.dice.shuffle(plans)
    step = timedelta(days=DAYS - 2) / len(plans)
    for number, plan in enumerate(plans):
        yield plan, month.now - timedelta(days=DAYS) + step * number + timedelta(minutes=month.dice.randrange(300))


def _present(month: Month) -> Iterator[tuple[Plan, datetime]]:
    plans = [plan for plan in TODAY for _each in range(plan.count)]
    for number, plan in enumerate(plans):
        yield plan, month.now - timedelta(hours=2.5) * (len(plans) - number - 1) - timedelta(minutes=9)


def _plant(month: Month, plan: Plan, placed_at: datetime) -> None:
    buyer = month.dice.choice(month.buyers)
    order = _placed(month, buyer, placed_at)
    if plan.ended:
        _end(order, buyer, plan.ended, placed_at)
        return
    paid_at = placed_at + timedelta(minutes=month.dice.randrange(3, 25))
    _pay(month, plan, order, buyer, paid_at)
    for status in plan.steps:
        with _at(order, paid_at + timedelta(hours=HOURS_AFTER_PAYMENT[status])):
            orders.set_status(by=None, order_id=order.pk, status=status)
    if plan.back:
        with _at(order, paid_at + timedelta(hours=33)):
            _give_back(order, plan.back)


def _placed(month: Month, buyer: Customer, placed_at: datetime) -> Order:
    """One to three products, a few pieces; a supply comes in for what goes out."""
    chosen = month.dice.sample(month.goods, month.dice.choice((1, 1, 2, 3)))
    wishes = [Wish(slipper.pk, month.dice.choice((1, 1, 1, 2, 3))) for slipper in chosen]
    for wish in wishes:
        catalogue.restock(by=None, slipper_id=wish.slipper_id, delta=wish.quantity)
    return placing.place(by=buyer, wishes=wishes, now=placed_at)


def _pay(month: Month, plan: Plan, order: Order, buyer: Customer, paid_at: datetime) -> None:
    """By card or in cash. Only cash goes back without a bank, so what will go back was paid in cash."""
    method = Payment.Method.CASH if plan.back else month.dice.choice(month.methods)
    if plan.failed_first:
        with _at(order, paid_at - timedelta(minutes=2)):
            lost = _asked(order, buyer, method, "lost")
            payments.fail(payment_id=lost.pk, status=Payment.Status.FAILED, reason="the card was declined")
    with _at(order, paid_at):
        payment = _asked(order, buyer, method, "sample")
        payments.settle(payment_id=payment.pk, told=payment.amount, source="sample data")


def _asked(order: Order, buyer: Customer, method: str, key: str) -> Payment:
    closed = orders.begin_payment(by=buyer, order_id=order.pk)
    return payments.start(
        by=None,
        payer=buyer.user,
        purpose=PAYMENT_PURPOSE,
        reference=str(order.pk),
        amount=Money(closed.total_amount, closed.currency),
        method=method,
        description=f"Order #{order.pk}",
        key=key,
        return_url="",
    )


def _give_back(order: Order, share: Decimal) -> None:
    amount = None if share == 1 else (order.total_amount * share).quantize(Decimal(1))
    reason = "wrong size" if share == 1 else "a scratch on the left one"
    money.refund(by=None, order_id=order.pk, amount=amount, key="sample", reason=reason)


def _end(order: Order, buyer: Customer, ended: str, placed_at: datetime) -> None:
    """Given up by somebody or by the clock; `on delivery` waits for cash, `open` for its buyer."""
    if ended == "on delivery":
        with _at(order, placed_at):
            _asked(order, buyer, Payment.Method.CASH, "sample")
    elif ended == "timer":
        with _at(order, order.stock_reserved_until):
            expiry.expire_unpaid(now=order.stock_reserved_until)
    elif ended != "open":
        with _at(order, placed_at + timedelta(minutes=18)):
            orders.cancel(by=buyer if ended == "buyer" else None, order_id=order.pk, reason="changed the mind")


# ── The clock ───────────────────────────────────────────────────────────────────────────────────────────────────────
@contextmanager
def _at(order: Order, moment: datetime) -> Iterator[None]:
    """Every time that the block writes about the order is moved from now to `moment`."""
    started = timezone.now()
    yield
    for rows in _rows_of(order):
        _move(rows, started, started - moment)


def _rows_of(order: Order) -> list[QuerySet[Any]]:
    paid_by = Payment.objects.filter(purpose=PAYMENT_PURPOSE, reference=str(order.pk))
    steps = StepLog.objects.filter(model="shop.Order", object_id=str(order.pk))
    keys = [str(pk) for pk in paid_by.values_list("pk", flat=True)]
    return [
        Order.objects.filter(pk=order.pk),
        paid_by,
        Refund.objects.filter(payment__in=paid_by),
        steps | StepLog.objects.filter(model="payments.Payment", object_id__in=keys),
    ]


def _move(rows: QuerySet[Any], since: datetime, back: timedelta) -> None:
    names = [field.name for field in rows.model._meta.fields if isinstance(field, DateTimeField)]
    moved = {name: Case(When(**{f"{name}__gte": since}, then=F(name) - back), default=F(name)) for name in names}
    rows.update(**moved)
