-- What one POST /orders/ with three lines sends to PostgreSQL: two looks of the sign-in, five statements between BEGIN
-- and COMMIT, one look at what was made. Products are taken in the order of their ids.
\set one random(:first, :first + 332)
\set two random(:first + 333, :first + 665)
\set three random(:first + 666, :first + 999)
\set buyer :buyers + :client_id
SELECT s.*, u.* FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
 JOIN shop_customer c ON c.user_id = u.id WHERE c.id = :buyer::bigint AND s.ended_at IS NULL LIMIT 1;
SELECT c.* FROM shop_customer c WHERE c.deleted_at IS NULL AND c.id = :buyer::bigint ORDER BY c.created_at DESC, c.id DESC LIMIT 1;
BEGIN;
UPDATE shop_slipper SET quantity = quantity - 1 WHERE id = :one::bigint AND quantity >= 1 AND NOT is_deleted RETURNING price, name, size, image;
UPDATE shop_slipper SET quantity = quantity - 1 WHERE id = :two::bigint AND quantity >= 1 AND NOT is_deleted RETURNING price, name, size, image;
UPDATE shop_slipper SET quantity = quantity - 1 WHERE id = :three::bigint AND quantity >= 1 AND NOT is_deleted RETURNING price, name, size, image;
INSERT INTO shop_order (customer_id, status, total_amount, currency, notes, stock_reserved_until, cancelled_by, cart_cleared_at, created_at, updated_at)
 VALUES (:buyer::bigint, 'pending', 135000, 'UZS', NULL, now() + interval '30 minutes', '', NULL, now(), now()) RETURNING id AS made \gset
INSERT INTO shop_orderitem (order_id, slipper_id, quantity, unit_price, total_price, notes, name, size, image) VALUES
 (:made::bigint, :one::bigint, 1, 45000, 45000, NULL, 'bench', '42', ''),
 (:made::bigint, :two::bigint, 1, 45000, 45000, NULL, 'bench', '42', ''),
 (:made::bigint, :three::bigint, 1, 45000, 45000, NULL, 'bench', '42', '');
COMMIT;
SELECT o.id, o.customer_id, c.name, c.surname, o.status, o.total_amount, o.created_at, o.updated_at, o.notes,
 i.id, i.slipper_id, i.quantity, i.unit_price, i.total_price, i.notes, i.name, i.size, i.image
 FROM (SELECT * FROM shop_order WHERE id = :made::bigint ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET 0) o
 JOIN shop_customer c ON c.id = o.customer_id LEFT JOIN shop_orderitem i ON i.order_id = o.id
 ORDER BY o.created_at DESC, o.id DESC, i.id;
