"""`GET /auth/me` and a history of cashback with 200,000 guests and five million movements, against their SQL."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from django.db import connection

from apps.accounts.models import Session, User
from apps.accounts.queries import SIGNED_IN
from apps.core.rows import FixedRows
from apps.loyalty.actions import doors
from apps.loyalty.models import Client
from apps.loyalty.queries.cashback import HISTORY
from apps.loyalty.queries.clients import BRIEF, CARDS
from bench import clients, people
from bench.stage import Stage, pgbench

GUESTS, EACH = 200_000, 25
CALLERS = 200
"""Guests who are signed in."""
CLIENTS = 16
SECONDS = 10
FIRST = 1_000_000
"""Ids of guests, persons and purses begin here."""

_SEED = (
    """INSERT INTO accounts_user (id, password, is_superuser, phone, first_name, last_name, language, photo_url,
        telegram_username, telegram_language, can_message_bot, is_active, is_staff, block_reason, joined_at, updated_at)
    SELECT %(first)s + n, '!', FALSE, '+9989' || (10000000 + n), 'Guest', '', 'ru', '', '', '', FALSE, TRUE, FALSE, '',
        now(), now() FROM generate_series(1, %(guests)s) n""",
    """INSERT INTO ledger_account (id, holder_id, book, name, currency, balance, held, floor, version, head, opened_at)
    SELECT %(first)s + n, %(first)s + n, 'loyalty:' || (%(first)s + n), '', 'UZS', 1000 * %(each)s, 0, -999999999999.99,
        %(each)s, 'bench', now() FROM generate_series(1, %(guests)s) n""",
    """INSERT INTO loyalty_client (id, user_id, purse_id, name, phone, photo_name, level, points, giftget, is_deleted,
        created_at, updated_at)
    SELECT %(first)s + n, %(first)s + n, %(first)s + n, 'Guest ' || n, '+9989' || (10000000 + n), '', 'SILVER', 100,
        FALSE, FALSE, now(), now() FROM generate_series(1, %(guests)s) n""",
    """INSERT INTO loyalty_card (client_id, card_number, card_track, created_at, updated_at)
    SELECT %(first)s + n, '8600' || n, n::text, now(), now() FROM generate_series(1, %(guests)s) n""",
    # As visits happen: a guest's movements lie far apart on the disk.
    """INSERT INTO loyalty_cashbacktransaction (client_id, entry_id, amount, balance_after, source, kind, order_id,
        order_number, note, created_at)
    SELECT %(first)s + g, visit * %(guests)s::bigint + g, 1000, 1000 * visit, 'MANUAL', 'accrual', '', '', '', now()
    FROM generate_series(1, %(each)s) visit, generate_series(1, %(guests)s) g""",
)


def run(at: Stage) -> None:
    at.title(f"Guests: {GUESTS} with {GUESTS * EACH} movements, 2 web workers, {CLIENTS} clients, {SECONDS} s each")
    _seed()
    tokens = [_token(number) for number in random.sample(range(1, GUESTS), CALLERS)]
    guest, cards = _spelled(BRIEF, ":guest"), _spelled(CARDS, ":guest")
    for name, path, asked in (
        ("auth/me", "auth/me", [guest, cards, _history(10)]),
        ("history", "cashback/user/{guest}?page_size=20", [guest, _history(20)]),
    ):
        sql = pgbench(at, _script(asked), clients=CLIENTS, seconds=SECONDS)
        heard = _ask(at, path, tokens)
        at.say(f"{name}: pgbench, its {len(asked) + 1} statements (tps)", f"{sql:.0f}")
        at.say(f"{name}: ours (req/s, p99 ms)", f"{heard.rate:.0f}, {heard.percentile(0.99):.1f}")
        at.want(f"{name} / pgbench on the same SQL", heard.rate / sql, least=0.10)


def _spelled(rows: FixedRows[Any], *values: object) -> str:
    """A statement of ours with values in its places, for pgbench: the very SQL that a request sends."""
    return rows.sql.replace("%s", "{}").format(*values)


def _history(limit: int) -> str:
    return _spelled(HISTORY, ":guest", limit, 0)


def _seed() -> None:
    with connection.cursor() as cursor:
        # Movements without their entries: nothing here reads the ledger's, and five million hashes take an hour.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET statement_timeout = 0")
        for sql in _SEED:
            cursor.execute(sql, {"first": FIRST, "guests": GUESTS, "each": EACH})
        cursor.execute("SET session_replication_role = DEFAULT")
    people.settle_tables("accounts_user", "ledger_account", "loyalty_client", "loyalty_card")
    people.settle_tables("loyalty_cashbacktransaction")


def _token(number: int) -> tuple[int, str]:
    guest = Client.objects.select_related("user").get(pk=FIRST + number)
    assert isinstance(guest.user, User)
    return guest.pk, doors.open_session(guest).access


def _script(asked: list[str]) -> str:
    """The statements of one answer, for a guest by chance; the session is always the same one."""
    session = Session.objects.filter(audience="loyalty").values_list("pk", flat=True)[:1].get()
    lines = [_spelled(SIGNED_IN, f"'{session}'", "'loyalty'", "now()"), *asked]
    statements = ";\n".join(" ".join(line.split()) for line in lines)
    return f"\\set guest random({FIRST + 1}, {FIRST + GUESTS})\n{statements};\n"


def _ask(at: Stage, path: str, tokens: list[tuple[int, str]]) -> clients.Heard:
    port = at.house.ports["web"]
    clients.run(port, [_requests(path, tokens) for _ in range(CLIENTS)], seconds=1)
    heard = clients.run(port, [_requests(path, tokens) for _ in range(CLIENTS)], seconds=SECONDS)
    if set(heard.statuses) != {200}:
        raise SystemExit(f"{path} answered {dict(heard.statuses)}")
    return heard


def _requests(path: str, tokens: list[tuple[int, str]]) -> Iterator[bytes]:
    asked = [
        clients.request("GET", f"/loyalty/api/v1/{path.format(guest=guest)}", token=token) for guest, token in tokens
    ]
    return (random.choice(asked) for _ in itertools.count())
