"""Members, money and orders in numbers, written by SQL as the actions would leave them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal

from django.db import connection

from apps.accounts.models import User
from apps.core.money import Money
from apps.integrations.telegram import sign_init_data
from apps.ledger import actions as ledger
from apps.portal.tests.processes import BOT_TOKEN
from apps.urgent.models import Member

CLIENTS = range(10_001, 11_001)
"""Telegram ids of those who post orders."""
EXECUTORS = range(20_001, 20_051)
"""Telegram ids of the fifty who buy contacts."""

_ORDERS = """
INSERT INTO urgent_order (id, client_id, category, description, city, contact, contact_normalized, status, city_locked,
    expires_in_minutes, max_executors, takes_count, created_at, updated_at, expires_at, due_at)
SELECT %(mark)s || n, 10001 + n %% 1000,
    (ARRAY['Сантехника','Электрика','Бытовой ремонт','Клининг','Сборка/установка','Бытовая техника','Другое'])
        [1 + n %% 7],
    'Нужен мастер: помыть окна, собрать шкаф и починить кран. Заказ номер ' || n,
    (ARRAY['Москва','Казань','Самара','Уфа','Омск','Томск','Тверь','Тула'])[1 + n %% 8],
    '+7916' || n, %(mark)s || n, 'active', TRUE, 60, 3, 0,
    moment, moment, moment + interval '60 minutes', moment + interval '60 minutes'
FROM generate_series(%(first)s::int, %(last)s::int) n, LATERAL (SELECT now() - %(age)s * interval '1 second'
    - n * interval '2 milliseconds' AS moment) m
"""
_TAKES = """
INSERT INTO urgent_take (order_id, executor_id, slot, price, taken_at, refund_reason)
SELECT %(mark)s || n, 20001 + (n + slot) %% 50, slot, 2, now(), ''
FROM generate_series(%(first)s::int, %(last)s::int) n, generate_series(1, n %% 4) slot
"""
_COUNT_TAKES = """
UPDATE urgent_order o SET takes_count = t.n, first_taken_at = now()
FROM (SELECT order_id, count(*) n FROM urgent_take GROUP BY order_id) t
WHERE t.order_id = o.id AND o.id LIKE %(mark)s || '%%'
"""


def bring_people() -> None:
    """A thousand clients and fifty executors with money."""
    ids = [*CLIENTS, *EXECUTORS]
    users = User.objects.bulk_create(User(telegram_id=pk, first_name=f"Person {pk}") for pk in ids)
    Member.objects.bulk_create(Member(pk=user.telegram_id, user=user) for user in users)
    for member in Member.objects.filter(pk__in=EXECUTORS).select_related("user"):
        ledger.post(
            by=None, holder=member.user, book="urgent", amount=Money(Decimal(1_000_000), "RUB"),
            key="opening", reason="opening", house="urgent:opening",
        )  # fmt: skip


def post_orders(mark: str, count: int, *, age_seconds: int = 0, taken: bool = False) -> None:
    """`count` active orders whose ids are `mark` and a number; with `taken` they have none to three takes each."""
    values: dict[str, str | int] = {"mark": mark, "first": 1, "last": count, "age": age_seconds}
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, values)
        if taken:
            cursor.execute(_TAKES, values)
            cursor.execute(_COUNT_TAKES, values)


def settle_tables(*tables: str) -> None:
    """Fresh statistics: what autovacuum does in its own time."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")


def tokens(people: Sequence[int]) -> list[str]:
    """A sign-in for each."""
    return [sign_init_data(BOT_TOKEN, {"id": pk, "first_name": f"Person {pk}"}, int(time.time())) for pk in people]
