"""A flower shop's day on a running server (`manage.py journey florist`): opened, stocked, ordered, paid, made, brought.

Everybody is new on every run: a shop of its own, its florist and courier, a buyer, and the shop next door that sees
nothing. The codes are read from the sandbox's messages, the money comes from the sandbox's bank.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

API = "/api"
STEMS, EACH = 60, 11
"""Stems that come, and stems of one bouquet."""
ROSE, HEIGHT = "Red Naomi", 60
FEE, PRICE = 2500, 15_000
ALMATY = ZoneInfo("Asia/Almaty")
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGPcImLDgA0wYRUdtBIA0JgBFFEqML4AAAAASUVORK5CYII="
"""Eight by eight pixels, as a phone would photograph a bouquet from very far away."""


def _phone() -> str:
    return f"+7707{secrets.randbelow(10**7):07d}"


@dataclass
class Hand:
    """Somebody with a phone and a token."""

    name: str
    phone: str = field(default_factory=_phone)
    token: str = ""
    id: int = 0


@dataclass
class Day:
    """The shop of this run and what happens in it."""

    owner: Hand = field(default_factory=lambda: Hand("Ольга"))
    florist: Hand = field(default_factory=lambda: Hand("Аида"))
    courier: Hand = field(default_factory=lambda: Hand("Руслан"))
    stranger: Hand = field(default_factory=lambda: Hand("Дана"))
    buyer: str = field(default_factory=_phone)
    shop: int = 0
    zone: int = 0
    product: int = 0
    order: dict[str, Any] = field(default_factory=dict)
    task: int = 0
    run: dict[str, Any] = field(default_factory=dict)


def run(client: Any) -> None:
    """Drive the whole way. Raises `Mismatch` at the first difference."""
    day = Day()
    _open_the_door(client)
    _open_the_shop(client, day)
    _hire(client, day)
    _fill_the_shelves(client, day)
    with client.socket(f"/ws?token={day.owner.token}") as ears:
        client.heard(ears, "connection")
        _take_an_order(client, day)
        _pay(client, day)
        client.heard(ears, "order_update")
    _make_it(client, day)
    _show_it(client, day)
    _bring_it(client, day)
    _close_the_day(client, day)
    _keep_the_wall(client, day)
    _leave(client, day)


def _call(client: Any, method: str, path: str, who: Hand | None = None, body: Any = None, expect: int = 200) -> Any:
    return client.call(method, f"{API}{path}", token=who.token if who else "", body=body, expect=expect)


# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _open_the_door(client: Any) -> None:
    with client.step("the house is healthy; secrets are not shown, closed doors are 401"):
        client.same("health", client.call("GET", "/health")["status"], "healthy")
        client.call("GET", "/debug/env", expect=404)
        _call(client, "GET", "/orders/", expect=401)


def _code(client: Any, phone: str) -> str:
    """The six digits of the newest text message, or nothing yet."""
    for message in client.vendor("GET", f"/messages?channel=sms&to={quote(phone)}"):
        if found := re.search(r"\b\d{6}\b", message["text"]):
            return found[0]
    return ""


def _prove(client: Any, who: Hand) -> dict[str, Any]:
    _call(client, "POST", "/auth/request-otp", body={"phone": who.phone}, expect=201)
    code = client.until("the code", lambda: _code(client, who.phone))
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    _call(client, "POST", "/auth/verify-otp", body={"phone": who.phone, "otp_code": wrong}, expect=400)
    proved: dict[str, Any] = _call(client, "POST", "/auth/verify-otp", body={"phone": who.phone, "otp_code": code})
    return proved


def _register(client: Any, who: Hand, name: str) -> dict[str, Any]:
    who.token = _prove(client, who)["access_token"]
    _call(client, "GET", "/orders/", who, expect=401)
    opened: dict[str, Any] = _call(
        client, "POST", "/auth/complete-registration", who, {"name": name, "city": "Алматы"}, expect=201
    )
    who.token = opened["access_token"]
    return opened


def _open_the_shop(client: Any, day: Day) -> None:
    with client.step("an unknown phone proves itself and opens a shop with three products"):
        opened = _register(client, day.owner, "Journey Flowers")
        day.shop = opened["shop_id"]
        client.same("role", opened["user_role"], "admin")
        client.same("products", _call(client, "GET", "/products/", day.owner)["total"], 3)
        # The sandbox's bank collects soum.
        _call(client, "PATCH", "/settings/shop", day.owner, {"currency": "UZS"})
    with client.step("another shop opens next door"):
        _register(client, day.stranger, "Next Door")


def _hire(client: Any, day: Day) -> None:
    with client.step("the owner hires a florist and a courier; they sign in by code"):
        for hand, role in ((day.florist, "florist"), (day.courier, "courier")):
            body = {"phone": hand.phone, "name": hand.name, "role": role}
            hand.id = _call(client, "POST", "/users/", day.owner, body)["id"]
            proved = _prove(client, hand)
            hand.token = proved["access_token"]
            client.same("role", (proved["user_role"], proved["is_new_user"]), (role, False))
    with client.step("roles hold: no users for the florist, no stock for the courier"):
        _call(client, "GET", "/users/", day.florist, expect=403)
        _call(client, "GET", "/warehouse/", day.courier, expect=403)


# ── Shelves ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _today() -> date:
    return datetime.now(ALMATY).date()


def _fill_the_shelves(client: Any, day: Day) -> None:
    owner = day.owner
    with client.step("a receipt brings sixty roses as one batch"):
        position = {"variety": ROSE, "height_cm": HEIGHT, "qty": STEMS, "cost_per_stem": 300}
        body = {"supplier": "Flora", "farm": "Naivasha", "delivery_date": f"{_today()}", "currency": "KZT", "rate": 1}
        _call(client, "POST", "/warehouse/deliveries", owner, body | {"positions": [position]}, expect=201)
        client.same("stems", _stems(client, day), (STEMS, 0))
    with client.step("a bouquet of eleven roses is put on sale"):
        body = {"name": "Одиннадцать роз", "category": "bouquet", "cost_price": 4000, "retail_price": PRICE}
        day.product = _call(client, "POST", "/products/", owner, body, expect=201)["id"]
        line = {"component_type": "flower", "name": ROSE, "quantity": EACH, "variety": ROSE, "height_cm": HEIGHT}
        _call(client, "POST", f"/products/{day.product}/components", owner, line, expect=201)
    with client.step("the shop brings into a zone of its own price"):
        body = {"name": "Journey", "price": FEE}
        _call(client, "POST", "/settings/delivery-zones", owner, body, expect=201)
        zones = _call(client, "GET", "/settings/delivery-zones", owner)["items"]
        day.zone = next(row["id"] for row in zones if row["name"] == "Journey")


def _stems(client: Any, day: Day) -> tuple[int, int]:
    """In stock and reserved, of the roses."""
    rows = _call(client, "GET", f"/warehouse/?search={quote(ROSE)}", day.owner)["items"]
    return sum(row["qty"] for row in rows), sum(row["reserved_qty"] for row in rows)


# ── The order ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _wish(day: Day, pieces: int) -> dict[str, Any]:
    tomorrow = _today() + timedelta(days=1)
    return {
        "customer_phone": day.buyer,
        "delivery_method": "delivery",
        "recipient_name": "Мария",
        "recipient_phone": "+77051234567",
        "address": "Абая 10, кв. 5",
        "zone_id": day.zone,
        "delivery_window": {"from": f"{tomorrow}T11:00:00+05:00", "to": f"{tomorrow}T13:00:00+05:00"},
        "items": [{"product_id": day.product, "quantity": pieces, "price": 1}],
        "card_text": "С любовью",
    }


def _take_an_order(client: Any, day: Day) -> None:
    with client.step("more bouquets than roses are refused, and the missing flowers are named"):
        refused = _call(client, "POST", "/orders/with-items", day.owner, _wish(day, 9), expect=409)
        short = [(row["variety"], row["needed"], row["available"]) for row in refused["shortages"]]
        client.same("shortage", short, [(ROSE, 9 * EACH, STEMS)])
    with client.step("an order costs what the shop says, and its roses are set aside"):
        day.order = _call(client, "POST", "/orders/with-items", day.owner, _wish(day, 2), expect=201)
        sums = (day.order["flower_sum"], day.order["delivery_fee"], day.order["total"])
        client.same("sums", sums, (2 * PRICE, FEE, 2 * PRICE + FEE))
        client.same("stems", _stems(client, day), (STEMS, 2 * EACH))
    with client.step("nobody skips a step"):
        path = f"/orders/{day.order['id']}/status"
        _call(client, "PATCH", path, day.owner, {"status": "delivered"}, expect=409)


def _status(client: Any, day: Day) -> str:
    return str(_call(client, "GET", f"/orders/{day.order['id']}", day.owner)["status"])


def _pay(client: Any, day: Day) -> None:
    with client.step("the buyer pays on the bank's page and the order is paid"):
        asked = _call(client, "POST", f"/orders/{day.order['id']}/pay", day.owner, {"method": "octo"})
        client.pay(asked["pay_url"], do="pay")
        client.until("the payment", lambda: _status(client, day) == "paid")
    with client.step("its task waits for a florist"):
        tasks = client.until("the task", lambda: _tasks(client, day))
        client.same("task", (len(tasks), tasks[0]["status"]), (1, "pending"))


def _tasks(client: Any, day: Day) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _call(client, "GET", f"/production/tasks/?order_id={day.order['id']}", day.owner)[
        "items"
    ]
    return rows


# ── The bouquet ─────────────────────────────────────────────────────────────────────────────────────────────────────
def _make_it(client: Any, day: Day) -> None:
    florist, base = day.florist, "/production"
    with client.step("the florist takes the next task, and only one"):
        task = _call(client, "POST", f"{base}/queue/get-next-task/{florist.id}", florist, expect=201)
        day.task = task["id"]
        client.same("task", (task["order_id"], task["status"]), (day.order["id"], "assigned"))
        again = _call(client, "POST", f"{base}/queue/get-next-task/{florist.id}", florist, expect=201)
        client.sure("no second one", again in (None, "null"))
        _call(client, "POST", f"{base}/tasks/{day.task}/start", florist, {}, expect=201)
    with client.step("without a picture nothing is handed in; the maker does not judge his own work"):
        _call(client, "POST", f"{base}/tasks/{day.task}/complete", florist, {}, expect=400)
        client.send_picture(
            f"{API}{base}/tasks/{day.task}/photos", b64decode(PICTURE), token=florist.token, kind="result"
        )
        done = _call(client, "POST", f"{base}/tasks/{day.task}/complete", florist, {"actual_minutes": 20}, expect=201)
        client.same("task", done["status"], "quality_check")
        verdict = {"quality_score": 5, "quality_approved": True}
        _call(client, "POST", f"{base}/tasks/{day.task}/quality-check", florist, verdict, expect=403)
    with client.step("the owner approves: the order is assembled and the roses have left the stock, once"):
        _call(client, "POST", f"{base}/tasks/{day.task}/quality-check", day.owner, verdict, expect=201)
        client.until("assembling", lambda: _status(client, day) == "assembled")
        client.same("stems", _stems(client, day), (STEMS - 2 * EACH, 0))
        rows = _call(client, "GET", f"/warehouse/?search={quote(ROSE)}", day.owner)["items"]
        moved = _call(client, "GET", f"/warehouse/{rows[0]['id']}/movements", day.owner)["items"]
        client.same("sum of the movements", sum(row["quantity"] for row in moved), STEMS - 2 * EACH)


def _show_it(client: Any, day: Day) -> None:
    token = day.order["tracking_token"]
    with client.step("the buyer follows a masked order and likes the picture, once"):
        seen = _call(client, "GET", f"/public/status/{token}")
        client.same("status", seen["status"], "assembled")
        client.sure("the phone is masked", "*" in seen["recipient_phone"] and "1234567" not in seen["recipient_phone"])
        photos = _call(client, "GET", f"/public/orders/{token}/photos")["items"]
        client.same("pictures", [row["photo_type"] for row in photos], ["pre_delivery"])
        word = {"photo_id": photos[0]["id"], "feedback": "like"}
        _call(client, "POST", f"/public/orders/{token}/feedback", body=word)
        _call(client, "POST", f"/public/orders/{token}/feedback", body=word, expect=400)


# ── The way ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _bring_it(client: Any, day: Day) -> None:
    courier = day.courier
    with client.step("a second order is paid in cash at the door"):
        wish = _wish(day, 1) | {"payment_method": "cash"}
        second = _call(client, "POST", "/orders/with-items", day.owner, wish, expect=201)
        for status in ("paid", "assembled"):
            _call(client, "PATCH", f"/orders/{second['id']}/status", day.owner, {"status": status})
    with client.step("the owner plans a run of both; the courier accepts it and starts"):
        stops = [{"order_id": found["id"]} for found in (day.order, second)]
        body = {"courier_id": courier.id, "stops": stops}
        day.run = _call(client, "POST", "/runs/", day.owner, body, expect=201)
        for word in ("accept", "start"):
            day.run = _call(client, "POST", f"/runs/{day.run['id']}/{word}", courier, {})
        due = {stop["order_id"]: stop["cash_due"] for stop in day.run["stops"]}
        client.same("cash to collect", due, {day.order["id"]: 0, second["id"]: PRICE + FEE})
    places = {stop["order_id"]: stop["id"] for stop in day.run["stops"]}
    with client.step("flowers are handed over with a proof; a repeated action counts once"):
        first = places[day.order["id"]]
        _call(client, "POST", f"/stops/{first}/picked-up", courier, {"key": "a"})
        proof = {"key": "b", "receiver_name": "Мария"}
        for _ in range(2):
            _hand_over(client, day, first, proof)
        client.same("order", _status(client, day), "delivered")
    with client.step("the second is paid in cash and delivered"):
        other = places[second["id"]]
        _call(client, "POST", f"/stops/{other}/picked-up", courier, {"key": "c"})
        money = {"key": "d", "amount": PRICE + FEE}
        for _ in range(2):
            _call(client, "POST", f"/stops/{other}/cash", courier, money)
        proof = {"key": "e", "receiver_name": "Иван"}
        _hand_over(client, day, other, proof)
        paid = _call(client, "GET", f"/orders/{second['id']}/payments", day.owner)
        client.same("paid", paid["paid_amount"], PRICE + FEE)


def _hand_over(client: Any, day: Day, stop: int, proof: dict[str, str]) -> None:
    """With a picture, as the courier's phone sends it."""
    path, picture = f"{API}/stops/{stop}/delivered", b64decode(PICTURE)
    client.send_picture(path, picture, field="photo", token=day.courier.token, expect=200, **proof)


def _close_the_day(client: Any, day: Day) -> None:
    with client.step("the courier closes the day with the cash he collected"):
        told = _call(client, "GET", "/courier/day", day.courier)
        client.same("day", (told["delivered"], told["failed"], told["cash_expected"]), (2, 0, PRICE + FEE))
        body = {"cash_handed": PRICE + FEE}
        closed = _call(client, "POST", "/courier/day/close", day.courier, body, expect=201)
        again = _call(client, "POST", "/courier/day/close", day.courier, body, expect=201)
        client.same("the repeat", again["id"], closed["id"])
    with client.step("the owner counts the cash; from then on the day stands"):
        accepted = _call(client, "POST", f"/courier/days/{closed['id']}/accept", day.owner)
        client.same("difference", accepted["difference"], 0)
        _call(client, "POST", "/courier/day/close", day.courier, {"cash_handed": 0}, expect=409)


def _keep_the_wall(client: Any, day: Day) -> None:
    with client.step("the shop next door sees none of it"):
        for path in (f"/orders/{day.order['id']}", f"/products/{day.product}", f"/production/tasks/{day.task}"):
            _call(client, "GET", path, day.stranger, expect=404)
        client.same("orders", _call(client, "GET", "/orders/", day.stranger)["total"], 0)
        client.same("stock", _call(client, "GET", "/warehouse/", day.stranger)["total"], 0)


def _leave(client: Any, day: Day) -> None:
    with client.step("signing out ends the session"):
        _call(client, "POST", "/auth/logout", day.owner, expect=204)
        _call(client, "GET", "/orders/", day.owner, expect=401)
