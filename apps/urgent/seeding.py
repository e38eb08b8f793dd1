"""Sample data for every screen of the market: people, a month of orders, takes, reviews, complaints, bills.

Rows of the past are written as rows, because actions know the present only; money goes through the ledger all the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import actions as accounts
from apps.core.models import StepLog
from apps.core.money import Money
from apps.integrations.telegram import TelegramProfile
from apps.ledger import actions as ledger
from apps.ledger.models import Entry
from apps.notifications import actions as notifications
from apps.notifications.channels import INBOX
from apps.payments.models import Payment
from apps.urgent.actions import invoices, members
from apps.urgent.actions.finish import UNANSWERED
from apps.urgent.actions.orders import normalised
from apps.urgent.conf import BOOK, CURRENCY, HOUSE_REVENUE, TOPUP
from apps.urgent.models import Complaint, Invoice, Member, Order, Review, Take, WantedCategory, WantedCity
from apps.urgent.models.orders import payment_key
from apps.urgent.queries import members as people
from apps.urgent.queries import orders as questions

FIRST_ID = 700_000_101
"""Telegram ids of the sample people count up from here."""

PEOPLE: tuple[tuple[str, str, str, str], ...] = (
    ("Малика", "Каримова", "malika_k", "uz"),
    ("Олег", "Смирнов", "oleg_s", "ru"),
    ("Ayşe", "Demir", "ayse_d", "tr"),
    ("Жасур", "Турсунов", "jasur_t", "uz"),
    ("Елена", "Волкова", "lena_v", "ru"),
    ("Тимур", "Ахмедов", "timur_master", "uz"),
    ("Сергей", "Кузнецов", "sergey_el", "ru"),
    ("Mehmet", "Yılmaz", "mehmet_usta", "tr"),
    ("Дильшод", "Рахимов", "dilshod_r", "uz"),
    ("Игорь", "Лебедев", "igor_l", "ru"),
    ("Наргиза", "Юсупова", "nargiza_clean", "uz"),
    ("Павел", "Новиков", "pavel_new", "ru"),
)
CLIENTS_COUNT = 5
"""The first ones post orders, the others buy contacts; the last one has not paid anything in."""

WAYS_IN = (
    f"{FIRST_ID} Малика posts orders, {FIRST_ID + 5} Тимур takes them, {FIRST_ID + 11} Павел has no money yet",
    'sign-in: curl -X POST {address}/__sandbox/telegram/init-data -d \'{"user": {"id": 700000101}}\'',
)

CITIES = ("Москва", "Санкт-Петербург", "Казань", "Екатеринбург", "Новосибирск", "Самара")
JOBS: dict[str, tuple[str, ...]] = {
    "Сантехника": (
        "Течёт кран на кухне, нужно заменить смеситель сегодня",
        "Засорилась раковина в ванной, вода не уходит",
    ),
    "Электрика": ("Выбивает автомат при включении стиральной машины", "Нужно повесить две люстры и заменить розетку"),
    "Бытовой ремонт": ("Переклеить обои в одной комнате, материал есть", "Починить дверцу шкафа и заменить две петли"),
    "Клининг": ("Уборка двухкомнатной квартиры после ремонта", "Помыть окна на лоджии, четыре створки"),
    "Сборка/установка": (
        "Собрать шкаф-купе и комод, доставка уже была",
        "Установить посудомоечную машину под столешницу",
    ),
    "Бытовая техника": ("Холодильник перестал морозить, нужна диагностика", "Стиральная машина не сливает воду"),
    "Другое": ("Помочь перенести диван на третий этаж без лифта", "Нужна помощь с выгулом собаки вечером"),
}
COMMENTS = (
    "Приехал через двадцать минут, всё сделал аккуратно",
    "Работа хорошая, но немного опоздал",
    "Очень вежливый мастер, рекомендую",
    None,
)

DAYS = 29
PLAN = {
    Order.Status.COMPLETED: 56,
    Order.Status.EXPIRED: 24,
    Order.Status.CLOSED_NO_RESPONSE: 14,
    Order.Status.DELETED: 6,
}
"""How many finished orders of each kind; more than three a day, so that charts have a shape."""

MESSAGES_COUNT = 14
ACTIVE_COUNT = 12
FEWEST_ACTIVE = 3
"""Below this many the next run posts fresh ones: active orders live an hour."""


@dataclass
class Crew:
    """The sample people, and one source of chance so that every run of an empty house makes the same month."""

    clients: list[Member]
    executors: list[Member]
    dice: random.Random
    now: datetime


def seed() -> str:
    """Plant the month once, and fresh active orders whenever the old ones have run out. Returns what was done."""
    with transaction.atomic():
        is_new = not Member.objects.filter(pk=FIRST_ID).exists()
        crew = _crew()
        if is_new:
            _plant_the_month(crew)
        fresh = _plant_active(crew)
        _count_figures()
        transaction.on_commit(questions.forget)
    if is_new:
        return f"{len(PEOPLE)} people, {sum(PLAN.values()) + fresh} orders of {DAYS} days"
    return f"{fresh} fresh orders" if fresh else "already there"


def _count_figures() -> None:
    """Counters and means are a cache of what was just planted."""
    for wrong in people.mismatches():
        Member.objects.filter(pk=wrong.member_id).update(**{wrong.figure: wrong.counted})


def _crew() -> Crew:
    found = [_person(number, *words) for number, words in enumerate(PEOPLE)]
    return Crew(
        found[:CLIENTS_COUNT], found[CLIENTS_COUNT:], random.Random(f"mahalla {Order.objects.count()}"), timezone.now()
    )


def _person(number: int, first_name: str, last_name: str, username: str, language: str) -> Member:
    profile = TelegramProfile(
        id=FIRST_ID + number,
        first_name=first_name,
        last_name=last_name,
        username=username,
        language_code=language,
        allows_write_to_pm=True,
    )
    return members.join(user=accounts.person_from_telegram(profile))


def _plant_the_month(crew: Crew) -> None:
    Member.objects.filter(pk__gte=FIRST_ID, pk__lt=FIRST_ID + len(PEOPLE)).update(
        created_at=crew.now - timedelta(days=DAYS + 1)
    )
    _plant_wishes(crew)
    _plant_bills(crew)
    for status, moment in _moments(crew):
        _plant_finished(crew, status, moment)
    _plant_complaints(crew)
    _plant_messages()


def _plant_wishes(crew: Crew) -> None:
    """The executors hear of new orders in the first two towns."""
    wishes = crew.executors[:4]
    Member.objects.filter(pk__in=[member.pk for member in wishes]).update(notifications_enabled=True)
    WantedCity.objects.bulk_create([WantedCity(member=member, city=city) for member in wishes for city in CITIES[:2]])
    WantedCategory.objects.bulk_create(
        [WantedCategory(member=member, category=category) for member in wishes for category in list(JOBS)[:3]]
    )


# Money ----------------------------------------------------------------------------------------------------------------


def _plant_bills(crew: Crew) -> None:
    start = crew.now - timedelta(days=DAYS, hours=12)
    for number, member in enumerate(crew.executors[:-1]):
        method = Payment.Method.STARS if number % 3 == 2 else Payment.Method.CRYPTO_BOT
        _paid_bill(member, (100, 300, 1000)[number % 3], method, start + timedelta(hours=number))
    _paid_bill(crew.executors[0], 100, Payment.Method.YUKASSA, crew.now - timedelta(days=9))
    _paid_bill(crew.executors[1], 300, Payment.Method.STARS, crew.now - timedelta(days=2))
    _open_bill(crew.executors[2], 300, Payment.Status.CANCELLED, crew.now - timedelta(days=5))
    _open_bill(crew.executors[-1], 100, Payment.Status.FAILED, crew.now - timedelta(days=1))


def _paid_bill(member: Member, amount: int, method: str, moment: datetime) -> None:
    invoice, payment = _bill(member, amount, method, moment)
    paid_at = moment + timedelta(minutes=2)
    house = invoices.HOUSE_ACCOUNTS[Payment.Method(method)]
    reference = f"invoice:{invoice.pk}"
    invoice.entry = _move(member, amount, reference, "recharge", house, reference, paid_at)
    invoice.save()
    payment.status, payment.paid_at, payment.captured_amount = Payment.Status.PAID, paid_at, payment.amount
    payment.vendor_id = f"sample-{invoice.pk}" if method != Payment.Method.CRYPTO_BOT else str(1000 + invoice.pk)
    payment.vendor_payer = str(member.pk) if method == Payment.Method.STARS else ""
    payment.save()


def _open_bill(member: Member, amount: int, status: str, moment: datetime) -> None:
    _invoice, payment = _bill(member, amount, Payment.Method.CRYPTO_BOT, moment)
    payment.status, payment.ended_at = status, payment.expires_at
    payment.save()


def _bill(member: Member, amount: int, method: str, moment: datetime) -> tuple[Invoice, Payment]:
    """A top-up of some day in the past: actions work in the present, so its payment is written as it would stand."""
    is_stars = method == Payment.Method.STARS
    invoice = Invoice.objects.create(member=member, amount=amount, created_at=moment)
    payment = Payment.objects.create(
        purpose=TOPUP,
        reference=str(invoice.pk),
        key=str(invoice.pk),
        payer=member.user,
        method=method,
        amount=int(amount / settings.URGENT.stars_rub_rate) + 1 if is_stars else amount,
        currency="XTR" if is_stars else "RUB",
        description=f"Balance top-up: {amount} RUB",
        created_at=moment,
        expires_at=moment + timedelta(seconds=settings.URGENT.crypto_invoice_seconds),
    )
    return invoice, payment


def _move(member: Member, amount: int, key: str, reason: str, house: str, reference: str, moment: datetime) -> Entry:
    return ledger.post(
        by=None,
        holder=member.user,
        book=BOOK,
        amount=Money(Decimal(amount), CURRENCY),
        key=key,
        reason=reason,
        house=house,
        reference=reference,
        happened_at=moment,
    )


# Orders ---------------------------------------------------------------------------------------------------------------


def _moments(crew: Crew) -> Iterator[tuple[str, datetime]]:
    """The plan's orders in a mixed row over the month, oldest first, more of them in the evening."""
    kinds = [str(status) for status, count in PLAN.items() for _ in range(count)]
    crew.dice.shuffle(kinds)
    step = timedelta(days=DAYS) / len(kinds)
    for number, status in enumerate(kinds):
        yield status, crew.now - timedelta(days=DAYS) + step * number + timedelta(minutes=crew.dice.randrange(240))


def _draft(crew: Crew, created_at: datetime) -> Order:
    category = crew.dice.choice(list(JOBS))
    contact = f"+7 9{crew.dice.randrange(10**8, 10**9)}"
    lifetime = settings.URGENT.order_lifetime_minutes
    runs_out = created_at + timedelta(minutes=lifetime)
    return Order(
        client=crew.dice.choice(crew.clients),
        category=category,
        description=crew.dice.choice(JOBS[category]),
        city=crew.dice.choices(CITIES, weights=(5, 3, 2, 2, 1, 1))[0],
        contact=contact,
        contact_normalized=normalised(contact),
        expires_in_minutes=lifetime,
        max_executors=settings.URGENT.max_executors_per_order,
        created_at=created_at,
        updated_at=created_at,
        expires_at=runs_out,
        due_at=runs_out,
    )


def _plant_finished(crew: Crew, status: str, created_at: datetime) -> None:
    order = _draft(crew, created_at)
    order.status = status
    takers = _takers(crew, status)
    first_take = created_at + timedelta(minutes=crew.dice.randrange(1, 14))
    ended_at = created_at + timedelta(minutes=crew.dice.randrange(35, 58))
    if status == Order.Status.EXPIRED:
        ended_at = order.expires_at
    if status == Order.Status.COMPLETED:
        order.customer_responded_at = first_take + timedelta(minutes=5)
    order.finished_at = ended_at
    if status == Order.Status.DELETED:
        order.deleted_at = ended_at
    order.save(force_insert=True)
    takes = [_plant_take(order, member, slot, first_take) for slot, member in enumerate(takers, start=1)]
    if status != Order.Status.COMPLETED:
        _plant_refunds(order, takes, ended_at)
    elif crew.dice.random() < 0.8:
        _plant_review(crew, order, takers[0], ended_at)
    by = (
        "system"
        if status in (Order.Status.EXPIRED, Order.Status.CLOSED_NO_RESPONSE)
        else f"urgent.member:{order.client_id}"
    )
    StepLog.objects.create(
        model=Order._meta.label, object_id=order.pk, from_status="active", to_status=status, by=by, at=ended_at
    )


def _takers(crew: Crew, status: str) -> list[Member]:
    """Nobody for a deleted one, sometimes nobody for one that ran out, else one to three with money."""
    if status == Order.Status.DELETED or (status == Order.Status.EXPIRED and crew.dice.random() < 0.6):
        return []
    return crew.dice.sample(crew.executors[:-1], crew.dice.choice((1, 1, 2, 3)))


def _plant_take(order: Order, member: Member, slot: int, first_take: datetime) -> Take:
    price, moment = settings.URGENT.order_take_cost, first_take + timedelta(minutes=slot - 1)
    if price:
        _move(member, -price, payment_key(order.pk, slot), "order_take", HOUSE_REVENUE, order.pk, moment)
    if slot == 1:
        order.first_taken_at = moment
    order.takes_count = slot
    order.save(update_fields=["first_taken_at", "takes_count"])
    return Take.objects.create(order=order, executor=member, slot=slot, price=price, taken_at=moment)


def _plant_refunds(order: Order, takes: list[Take], moment: datetime) -> None:
    for take in takes:
        if take.price:
            _move(take.executor, take.price, take.refund_key, "refund", HOUSE_REVENUE, order.pk, moment)
        Take.objects.filter(pk=take.pk).update(refunded_at=moment, refund_reason=UNANSWERED)


def _plant_review(crew: Crew, order: Order, executor: Member, moment: datetime) -> None:
    """Mostly good ones; the worst are hidden, as a moderator would."""
    rating, comment = crew.dice.choice((5, 5, 5, 4, 4, 3, 1)), crew.dice.choice(COMMENTS)
    is_hidden = rating == 1
    written_at = moment + timedelta(minutes=30)
    Review.objects.create(
        order=order,
        client=order.client,
        executor=executor,
        rating=rating,
        comment="Взял деньги и не пришёл!!!" if is_hidden else comment,
        status=Review.Status.HIDDEN if is_hidden else Review.Status.SHOWN,
        created_at=written_at,
        hidden_at=written_at + timedelta(hours=3) if is_hidden else None,
    )
    if not is_hidden:
        Order.objects.filter(pk=order.pk).update(rating=rating, review_comment=comment)


def _plant_complaints(crew: Crew) -> None:
    """Some that wait for a moderator, some that were decided."""
    unanswered = Take.objects.filter(order__status=Order.Status.CLOSED_NO_RESPONSE).order_by("-taken_at")[:7]
    kinds = [*Complaint.Reason, Complaint.Reason.NO_ANSWER, Complaint.Reason.RUDE]
    for number, take in enumerate(unanswered.select_related("order")):
        is_open, made_at = number < 4, take.taken_at + timedelta(minutes=40)
        decided = Complaint.Status.RESOLVED if number % 2 else Complaint.Status.DISMISSED
        Complaint.objects.create(
            order=take.order,
            executor_id=take.executor_id,
            client_id=take.order.client_id,
            complaint=kinds[number % len(kinds)],
            comment="Звонил пять раз, трубку не берут" if number % 2 == 0 else None,
            status=Complaint.Status.OPEN if is_open else decided,
            created_at=made_at,
            decided_at=None if is_open else made_at + timedelta(hours=6),
        )


def _plant_messages() -> None:
    """What the newest completed orders have said to both sides, in the inbox only: nobody is disturbed by samples."""
    newest = Take.objects.filter(order__status=Order.Status.COMPLETED).order_by("-taken_at", "slot")[:MESSAGES_COUNT]
    for take in newest.select_related("order__client__user", "executor__user"):
        order = take.order
        places = {"place": take.slot, "places": order.max_executors}
        taken = _("Your order «{category}» was taken: {place} of {places}")
        _keep(
            order.client, "order_taken", taken, f"taken:{order.pk}:{take.executor_id}", take.taken_at, order, **places
        )
        done = _("The order «{category}» is completed")
        _keep(
            take.executor, "order_completed", done, f"completed:{order.pk}", order.finished_at or take.taken_at, order
        )


def _keep(member: Member, kind: str, title: Any, key: str, moment: datetime, order: Order, **facts: int) -> None:
    notifications.tell(
        user=member.user,
        product="urgent",
        kind=kind,
        title=title,
        facts={"category": order.category, **facts},
        payload={"order_id": order.pk},
        key=key,
        channels=(INBOX,),
        now=moment,
    )


def _plant_active(crew: Crew) -> int:
    """Orders of the last minutes: free, half taken, full, answered. Returns how many were posted."""
    own = Order.objects.filter(client__in=crew.clients, status=Order.Status.ACTIVE, due_at__gt=crew.now)
    if own.count() >= FEWEST_ACTIVE:
        return 0
    for number in range(ACTIVE_COUNT):
        order = _draft(crew, crew.now - timedelta(minutes=2 + number * 3))
        order.save(force_insert=True)
        _take_some(crew, order, number % 4)
    return ACTIVE_COUNT


def _take_some(crew: Crew, order: Order, count: int) -> None:
    first_take = crew.now - timedelta(minutes=1)
    rich = crew.executors[:4]
    for slot, member in enumerate(crew.dice.sample(rich, min(count, order.max_executors)), start=1):
        _plant_take(order, member, slot, first_take)
    if not count:
        return
    answer_by = first_take + timedelta(minutes=settings.URGENT.no_response_close_minutes)
    order.due_at = min(answer_by, order.expires_at)
    if count == order.max_executors:
        order.customer_responded_at, order.due_at = crew.now, order.expires_at
    order.save(update_fields=["due_at", "customer_responded_at"])
