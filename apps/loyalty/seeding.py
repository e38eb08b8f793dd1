"""Sample data for every screen: staff, two hundred guests, a year of visits, news, dishes, and some trouble with iiko.

People and money come through the actions, with the clock moved; only the hour of a movement is written afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.ledger.models import Account
from apps.loyalty.actions import announcements, cashback, catalogue, clients, iiko_notices, messages, news, staff
from apps.loyalty.actions.cashback import Told
from apps.loyalty.actions.iiko_notices import Heard
from apps.loyalty.errors import GuestUnknown
from apps.loyalty.events import CashbackChanged
from apps.loyalty.models import (
    Branch,
    Card,
    CashbackTransaction,
    Client,
    IikoJob,
    IikoReconciliation,
    Staff,
)

PASSWORD = "mahalla-demo"  # noqa: S105 - published on purpose, like that of the sample staff
MANAGER_PHONE, WAITER_PHONE = "+998905000001", "+998905000011"
FIRST_GUEST = 998_905_100_000
"""Phones of the sample guests count up from here."""

WAYS_IN = (
    f"manager {MANAGER_PHONE}, waiter {WAITER_PHONE}, password {PASSWORD}",
    f"guest +{FIRST_GUEST}: ask for a code, read it at {{address}}/__sandbox/",
)

MANAGERS = (("Малика Рустамова", MANAGER_PHONE), ("Фарход Садыков", "+998905000002"))
WAITERS = (
    ("Вали Каримов", Branch.GEOFIZIKA, "VALI01"),
    ("Умид Рахмонов", Branch.GEOFIZIKA, "UMID02"),
    ("Наргиза Юлдашева", Branch.GIJDUVON, "NARG03"),
    ("Шерзод Ахмедов", Branch.GIJDUVON, "SHER04"),
    ("Дилноза Хамидова", Branch.SEVERNIY, "DILN05"),
    ("Жасур Турдиев", Branch.MK5, "JASU06"),
)
FIRST_NAMES = (
    *("Азиза", "Бахром", "Гулнора", "Дильшод", "Елена", "Жамшид", "Зарина", "Ислом", "Камола", "Лола"),
    *("Мурод", "Нигора", "Отабек", "Парвина", "Рустам", "Севара", "Тимур", "Умида", "Фируза", "Шахзод"),
)
SURNAMES = ("Абдуллаев", "Бобоев", "Валиев", "Ганиев", "Джураев", "Исмоилов", "Каримов", "Норов", "Саидов")

GUESTS = 200
LEAVERS = 4
DAYS = 365
VISITS = (1, 1, 1, 2, 3, 4, 5, 8)
"""How often a guest came; one of these each."""
TOLD = 12
"""The newest movements are told to their guests; a year of old ones would only fill inboxes."""

NEWS = (
    ("Навруз в Sardoba", "Сумаляк для всех гостей с 20 по 22 марта.", -3, 20, 3),
    ("Двойной кешбэк по средам", "Каждую среду начисляем вдвое больше на ужин после 18:00.", -30, None, 1),
    ("Новое меню плова", "Свадебный плов теперь каждый день до 15:00.", -90, -10, 0),
    ("Летняя терраса", "Открываем террасу в Гиждуване.", 14, 60, 2),
)
"""Title, text, shown from and until (days from now), priority."""

DISHES = {
    "Плов": (("Плов свадебный", 45_000), ("Плов чайханский", 38_000)),
    "Супы": (("Мастава", 25_000), ("Шурпа", 30_000), ("Лагман", 32_000)),
    "Шашлык": (("Из баранины", 22_000), ("Из печени", 18_000)),
    "Напитки": (("Чай зелёный", 5_000), ("Компот", 8_000)),
}


@dataclass(frozen=True)
class Visit:
    """Somebody sat at a table."""

    client: Client
    at: datetime
    branch_id: int


def seed() -> str:
    """Plant the year once; a second call adds nothing. Returns what was done."""
    if Client.objects.filter(phone=f"+{FIRST_GUEST}").exists():
        return "guests already there"
    dice, now = random.Random("sardoba"), timezone.now()
    with transaction.atomic():
        waiters = _hire()
        guests = _register(dice, waiters, now)
        count = _live_the_year(dice, guests, now)
        _introduce_to_iiko(guests)
        _leave(guests[100 : 100 + LEAVERS], now)
        _trouble_with_iiko(guests, now)
        _words(now)
    return f"{len(guests)} guests, {len(MANAGERS) + len(waiters)} staff, {count} movements of {DAYS} days"


def _hire() -> list[Staff]:
    for name, phone in MANAGERS:
        staff.hire(by=None, name=name, phone=phone, password=PASSWORD, role=Staff.Role.MANAGER)
    return [
        staff.hire(
            by=None,
            name=name,
            phone=f"+{998_905_000_011 + number}",
            password=PASSWORD,
            branch_id=branch,
            referral_code=code,
        )
        for number, (name, branch, code) in enumerate(WAITERS)
    ]


def _register(dice: random.Random, waiters: list[Staff], now: datetime) -> list[Client]:
    """Oldest first; more of them came lately, three of four by a waiter's code."""
    ages = sorted((DAYS * dice.random() ** 1.6 for _ in range(GUESTS)), reverse=True)
    return [
        clients.register(
            phone=f"+{FIRST_GUEST + number}",
            name=_name(dice, number),
            date_of_birth=(now - timedelta(days=dice.randrange(18 * 365, 60 * 365))).date(),
            waiter=dice.choice([*waiters, *waiters, *waiters, None, None, None, None, None, None]),
            now=now - timedelta(days=age),
        )
        for number, age in enumerate(ages)
    ]


def _name(dice: random.Random, number: int) -> str:
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    return f"{first} {dice.choice(SURNAMES)}{'а' if first.endswith('а') else ''}"


# Money ----------------------------------------------------------------------------------------------------------------


def _live_the_year(dice: random.Random, guests: list[Client], now: datetime) -> int:
    """Every visit in its order; returns how many movements there are."""
    moments = {_eat(dice, visit): visit.at for visit in _visits(dice, guests, now)}
    rows = CashbackTransaction.objects.in_bulk(list(moments))
    for pk, row in rows.items():
        row.created_at = moments[pk]
    CashbackTransaction.objects.bulk_update(rows.values(), ["created_at"], batch_size=200)
    _keep_quiet(set(sorted(moments)[-TOLD:]))
    _thank(dice.sample(guests[:50], 5))
    return CashbackTransaction.objects.count()


def _visits(dice: random.Random, guests: list[Client], now: datetime) -> Iterator[Visit]:
    found = []
    for client in guests:
        home = client.waiter.branch_id if client.waiter else dice.choice(Branch.values)
        stay = now - client.created_at
        for _ in range(min(dice.choice(VISITS), 1 + stay.days // 5)):
            found.append(Visit(client, client.created_at + stay * dice.random(), home or Branch.MK5))
    yield from sorted(found, key=lambda visit: visit.at)


def _eat(dice: random.Random, visit: Visit) -> int:
    """Earn, or pay with what was earned once it is worth it; returns the movement."""
    held = Account.objects.get(loyalty_client=visit.client).balance
    pays = held >= cashback.SMALLEST_SPEND and dice.random() < 0.5
    amount = -cashback.SMALLEST_SPEND if pays else Decimal(dice.randrange(8, 90) * 500)
    kind = cashback.Kind.PAYMENT if pays else cashback.Kind.ACCRUAL
    number = dice.randrange(10**6)
    told = Told(kind=kind, source=cashback.Source.ORDER, branch_id=visit.branch_id, order_number=str(number))
    key = f"sample-{visit.client.pk}-{visit.at.timestamp():.6f}"
    return cashback.apply_iiko_change(
        client_id=visit.client.pk, amount=amount, key=key, told=told, at=visit.at, balance=held + amount
    ).pk


def _keep_quiet(told: set[int]) -> None:
    """Guests hear of the newest movements only."""
    for message in OutboxMessage.objects.filter(event=CashbackChanged.label(), delivered_at=None):
        if message.payload["transaction_id"] not in told:
            message.delete()


def _thank(guests: list[Client]) -> None:
    """A manager makes up for cold soup."""
    manager = Staff.objects.select_related("user").get(phone=MANAGER_PHONE)
    for client in guests:
        cashback.add(by=manager, client_id=client.pk, amount=Decimal(15_000), branch_id=Branch.GEOFIZIKA)


# iiko -----------------------------------------------------------------------------------------------------------------


def _introduce_to_iiko(guests: list[Client]) -> None:
    """As if iiko had been asked when they came: the imitation knows none of them and would empty their purses."""
    for client in guests:
        Client.objects.filter(pk=client.pk).update(
            iiko_customer_id=f"sample-guest-{client.pk}", iiko_wallet_id=f"sample-wallet-{client.pk}"
        )
        Card.objects.create(
            client=client,
            card_number=f"8600{client.pk:012d}",
            card_track=f"{client.pk:020d}",
            attached_at=client.created_at,
            created_at=client.created_at,
        )
        IikoJob.objects.filter(client=client).update(
            state=IikoJob.State.SUCCESS,
            attempts=1,
            outcome="ok",
            created_at=client.created_at,
            last_attempt_at=client.created_at,
            completed_at=client.created_at + timedelta(seconds=3),
        )


def _leave(guests: list[Client], now: datetime) -> None:
    for number, client in enumerate(guests):
        clients.delete(by=client, now=now - timedelta(hours=number + 1))


def _trouble_with_iiko(guests: list[Client], now: datetime) -> None:
    """A deed that gave up, one that will be tried again, movements of strangers, two nights of comparing."""
    for client in guests[:2]:
        clients.update(by=None, client_id=client.pk, changes={"name": f"{client.name} ст."})
    stuck, later = IikoJob.objects.filter(operation=IikoJob.Operation.FLUSH_PROFILE).order_by("pk")
    IikoJob.objects.filter(pk=stuck.pk).update(
        state=IikoJob.State.PAUSED, attempts=8, outcome="iiko: refused (Customer_NameIsInvalid)", last_attempt_at=now
    )
    IikoJob.objects.filter(pk=later.pk).update(
        state=IikoJob.State.FAILED, attempts=2, outcome="iiko: no answer", due_at=now + timedelta(minutes=30)
    )
    for number in range(3):
        _hear_of_a_stranger(number, now)
    for night, differing in ((2, 0), (1, 3)):
        IikoReconciliation.objects.create(
            started_at=now - timedelta(days=night),
            asked_count=GUESTS - LEAVERS,
            checked_count=GUESTS - LEAVERS,
            differing_count=differing,
            levelled_total=Decimal(12_500 * differing),
        )


def _hear_of_a_stranger(number: int, now: datetime) -> None:
    heard = Heard(
        kind="Accrual",
        amount=Decimal(9_000 + 1_000 * number),
        event_id=f"sample-stranger-{number}",
        wallet_id=f"sample-strange-wallet-{number}",
        phone=f"+99890590000{number}",
        order_number=str(7_100 + number),
        changed_on=now - timedelta(hours=5 * number + 2),
    )
    try:
        iiko_notices.receive(heard=heard, now=now - timedelta(hours=5 * number + 2))
    except GuestUnknown:
        return


# Words ----------------------------------------------------------------------------------------------------------------


def _words(now: datetime) -> None:
    for title, text, begins, ends, priority in NEWS:
        news.publish(
            by=None,
            title=title,
            description=text,
            starts_at=now + timedelta(days=begins),
            ends_at=now + timedelta(days=ends) if ends is not None else None,
            priority=priority,
        )
    announcements.announce(by=None, title="Санитарный день", description="В понедельник до 14:00 кухня закрыта.")
    for shelf, dishes in DISHES.items():
        category = catalogue.add_category(by=None, name=shelf)
        for name, price in dishes:
            catalogue.add_product(by=None, category_id=category.pk, name=name, price=Decimal(price))
    for client in Client.objects.living().select_related("user").order_by("pk")[:6]:
        platform = "android" if client.pk % 2 else "ios"
        messages.register_device(by=client, token=f"sample-token-{client.pk}", platform=platform, language="uz")
