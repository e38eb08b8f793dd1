-- What one take sends to PostgreSQL (seen with its query log): the sign-in's look, eleven statements, one commit.
-- Colons inside literals are written as \x3a: pgbench would take them for variables.
\set n :n + 1
\set order :client_id * :each + :n
\set member 20001 + :client_id
SELECT m.*, u.* FROM urgent_member m JOIN accounts_user u ON u.id = m.user_id WHERE m.id = :member::bigint \gset p_
BEGIN;
UPDATE urgent_order SET takes_count = takes_count + 1, first_taken_at = COALESCE(first_taken_at, now()),
 due_at = CASE WHEN takes_count = 0 AND now() + interval '15 minutes' < expires_at THEN now() + interval '15 minutes' ELSE due_at END,
 updated_at = now()
 WHERE id = 'pgbench' || :order::int AND status = 'active' AND due_at > now() AND takes_count < max_executors
 AND client_id <> :member::bigint
 AND NOT EXISTS (SELECT 1 FROM urgent_take WHERE order_id = 'pgbench' || :order::int AND executor_id = :member::bigint)
 RETURNING takes_count AS slot, contact, client_id AS owner \gset
INSERT INTO urgent_take (order_id, executor_id, slot, price, taken_at, refund_reason)
 VALUES ('pgbench' || :order::int, :member::bigint, :slot::int, 2, now(), '');
SELECT a.id AS account, a.balance, a.version, a.head,
 (SELECT h.id FROM ledger_account h WHERE h.holder_id IS NULL AND h.name = E'urgent\x3arevenue' AND h.currency = 'RUB') AS house
 FROM ledger_account a JOIN urgent_member m ON m.user_id = a.holder_id
 WHERE m.id = :member::bigint AND a.book = 'urgent' AND a.currency = 'RUB' FOR NO KEY UPDATE OF a \gset
SELECT count(*) AS again FROM ledger_entry
 WHERE account_id = :account::bigint AND key = E'take\x3apgbench' || :order::int || ':' || :member::int AND NOT (key = '') \gset
UPDATE ledger_account SET balance = :balance::numeric - 2, held = 0, version = :version::bigint + 1, head = md5(:n::text) || md5('x')
 WHERE id = :account::bigint AND version = :version::bigint AND head = :head AND ROUND(:balance::numeric - 2 - floor, 2) >= 0;
INSERT INTO ledger_entry (posting, account_id, amount, currency, balance_before, balance_after, version, key, fingerprint,
 reason, reference, happened_at, written_at, by_id, by_role, reverses_id, previous_hash, hash)
 SELECT p, v.* FROM gen_random_uuid() p, (VALUES
 (:account::bigint, -2.00, 'RUB', :balance::numeric, :balance::numeric - 2, :version::bigint + 1,
  E'take\x3apgbench' || :order::int || ':' || :member::int, md5('f') || md5('f'), 'order_take', 'pgbench' || :order::int, now(), now(),
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
