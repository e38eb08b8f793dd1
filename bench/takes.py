"""`POST /api/orders/{id}/take`: 10,000 orders and fifty clients, against the same statements; then fifty clients on one order."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from apps.urgent.models import Member, Order, Take
from bench import clients, people
from bench.stage import Stage, pgbench

ORDERS = 10_000
CLIENTS = len(people.EXECUTORS)
EACH = ORDERS // CLIENTS
CROWDED = 40
"""Orders that all fifty want at the same moment, one after the other."""

_STATEMENTS = """
\\set n :n + 1
\\set order {mark} + :client_id * {each} + :n
\\set member 20001 + :client_id
SELECT m.*, u.* FROM urgent_member m JOIN accounts_user u ON u.id = m.user_id WHERE m.id = :member::bigint \\gset p_
BEGIN;
UPDATE urgent_order SET takes_count = takes_count + 1, first_taken_at = COALESCE(first_taken_at, now()),
 due_at = CASE WHEN takes_count = 0 AND now() + interval '15 minutes' < expires_at THEN now() + interval '15 minutes' ELSE due_at END,
 updated_at = now()
 WHERE id = 'pgbench' || :order::int AND status = 'active' AND due_at > now() AND takes_count < max_executors
 AND client_id <> :member::bigint
 AND NOT EXISTS (SELECT 1 FROM urgent_take WHERE order_id = 'pgbench' || :order::int AND executor_id = :member::bigint)
 RETURNING takes_count AS slot, contact, client_id AS owner \\gset
INSERT INTO urgent_take (order_id, executor_id, slot, price, taken_at, refund_reason)
 VALUES ('pgbench' || :order::int, :member::bigint, :slot::int, 2, now(), '');
SELECT a.id AS account, a.balance, a.version, a.head,
 (SELECT h.id FROM ledger_account h WHERE h.holder_id IS NULL AND h.name = E'urgent\\x3arevenue' AND h.currency = 'RUB') AS house
 FROM ledger_account a JOIN urgent_member m ON m.user_id = a.holder_id
 WHERE m.id = :member::bigint AND a.book = 'urgent' AND a.currency = 'RUB' FOR NO KEY UPDATE OF a \\gset
SELECT count(*) AS again FROM ledger_entry
 WHERE account_id = :account::bigint AND key = E'take\\x3apgbench' || :order::int || ':' || :member::int AND NOT (key = '') \\gset
UPDATE ledger_account SET balance = :balance::numeric - 2, held = 0, version = :version::bigint + 1, head = md5(:n::text) || md5('x')
 WHERE id = :account::bigint AND version = :version::bigint AND head = :head AND ROUND(:balance::numeric - 2 - floor, 2) >= 0;
INSERT INTO ledger_entry (posting, account_id, amount, currency, balance_before, balance_after, version, key, fingerprint,
 reason, reference, happened_at, written_at, by_id, by_role, reverses_id, previous_hash, hash)
 SELECT p, v.* FROM gen_random_uuid() p, (VALUES
 (:account::bigint, -2.00, 'RUB', :balance::numeric, :balance::numeric - 2, :version::bigint + 1,
  E'take\\x3apgbench' || :order::int || ':' || :member::int, md5('f') || md5('f'), 'order_take', 'pgbench' || :order::int, now(), now(),
  1::bigint, 'urgent.member', NULL::bigint, md5('p') || md5('p'), md5('h') || md5('h')),
 (:house::bigint, 2.00, 'RUB', NULL, NULL, NULL, '', '', 'order_take', 'pgbench' || :order::int, now(), now(),
  1::bigint, 'urgent.member', NULL::bigint, '', '')) v RETURNING id, account_id;
INSERT INTO core_outboxmessage (event, handler, payload, created_at, due_at, attempts, last_error)
 VALUES ('ledger.BalanceChanged', 'apps.urgent.handlers.orders.show_the_balance',
 json_build_object('entry_id', :n::int, 'holder_id', :member::int, 'reference', 'pgbench')::jsonb, now(), now(), 0, '') RETURNING id;
UPDATE urgent_member SET active_orders_count = active_orders_count + 1 WHERE id = :member::bigint;
INSERT INTO core_outboxmessage (event, handler, payload, created_at, due_at, attempts, last_error)
 SELECT 'urgent.OrderTaken', h, json_build_object('order_id', :order::int, 'executor_id', :member::int)::jsonb, now(), now(), 0, ''
 FROM unnest(ARRAY['apps.urgent.handlers.orders.show_the_take', 'apps.urgent.handlers.talk.tell_the_client_of_the_take']) h
 RETURNING id;
COMMIT;
"""
"""What one take sends to PostgreSQL (seen with its query log): the sign-in's look, eleven statements, one commit.

Colons inside literals are written as \\x3a: pgbench would take them for variables.
"""


def run(at: Stage) -> None:
    at.title(f"Take: {ORDERS} orders, {CLIENTS} clients, 2 web workers")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_account (book, name, currency, balance, held, floor, version, head, opened_at)"
                       " VALUES ('', 'urgent:revenue', 'RUB', 0, 0, 0, 0, '', now())")  # fmt: skip
    people.post_orders("pgbench", ORDERS)
    people.post_orders("spread", ORDERS)
    people.post_orders("crowd", CROWDED)
    people.settle_tables("urgent_order", "urgent_take", "ledger_entry", "ledger_account")
    tokens = people.tokens(people.EXECUTORS)
    sql = pgbench(at, _statements(), clients=CLIENTS, count=EACH)
    spread = _spread(at, tokens)
    crowd = _crowd(at, tokens)
    assert_books(at)
    at.say("pgbench, the same statements (tps)", f"{sql:.0f}")
    at.say("ours, spread (takes/s, median / p99 ms)", _figures(spread))
    at.say(f"ours, {CLIENTS} clients on one order, {CROWDED} times (median / p99 ms)", _figures(crowd))
    at.want("take: spread / pgbench", spread.rate / sql, least=0.15)
    at.want("take: p99 on one order / p99 spread", crowd.percentile(0.99) / spread.percentile(0.99), most=2)


def _statements() -> str:
    """pgbench wants every command on one line when it ends in \\gset."""
    joined = _STATEMENTS.format(mark=0, each=EACH).strip().replace("\n ", " ")
    return joined + "\n"


def _figures(heard: clients.Heard) -> str:
    return f"{heard.rate:.0f}, {heard.percentile(0.5):.0f} / {heard.percentile(0.99):.0f}"


def _spread(at: Stage, tokens: list[str]) -> clients.Heard:
    """Each client takes its own part of the orders, one after the other."""
    streams = [_takes(token, "spread", number * EACH, EACH) for number, token in enumerate(tokens)]
    heard = clients.run(at.house.ports["web"], streams)
    if heard.statuses != {200: ORDERS}:
        raise SystemExit(f"takes answered {dict(heard.statuses)}")
    return heard


def _crowd(at: Stage, tokens: list[str]) -> clients.Heard:
    """All fifty ask for the same order at once; nobody goes on before everybody has his answer."""
    whole = clients.Heard()
    for number in range(CROWDED):
        heard = clients.run(at.house.ports["web"], [_takes(token, "crowd", number, 1) for token in tokens])
        if heard.statuses != {200: 3, 409: CLIENTS - 3}:
            raise SystemExit(f"a crowded order answered {dict(heard.statuses)}")
        whole.latencies += heard.latencies
        whole.seconds += heard.seconds
    return whole


def _takes(token: str, mark: str, first: int, count: int) -> Iterator[bytes]:
    for number in range(first + 1, first + count + 1):
        yield clients.request("POST", f"/urgent/api/orders/{mark}{number}/take", token=token)


def assert_books(at: Stage) -> None:
    """Exactly three takes of each crowded order, and no rouble more or less than the takes cost."""
    crowded = [Take.objects.filter(order_id=f"crowd{number}").count() for number in range(1, CROWDED + 1)]
    spread = Take.objects.filter(order__id__startswith="spread").count()
    wrong = Order.objects.filter(id__startswith="spread").exclude(takes_count=1).count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT -sum(amount) FROM ledger_entry WHERE reason = 'order_take' AND version IS NOT NULL"
                       " AND (reference LIKE 'spread%%' OR reference LIKE 'crowd%%')")  # fmt: skip
        paid = int(cursor.fetchone()[0])
    if set(crowded) != {3} or spread != ORDERS or wrong or paid != 2 * (spread + sum(crowded)):
        raise SystemExit(f"the books are wrong: {crowded} {spread} {wrong} {paid}")
    at.say("exactly three takes of each crowded order, charges = takes", "ok")
    assert Member.objects.filter(pk__in=people.EXECUTORS).count() == CLIENTS
