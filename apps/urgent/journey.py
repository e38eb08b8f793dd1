"""The market's journey: what clients and executors do in a day, on a running server (`manage.py journey urgent`).

`client` is the roof's driver (`portal.driving.Client`). The journey shares the server's database for two things that no
client can do: turning an order's clock, since nobody waits an hour, and comparing balances with the ledger.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from apps.integrations.telegram import sign_init_data
from apps.ledger import queries as ledger
from apps.urgent import conf
from apps.urgent.models import Member, Order

CITY = "Казань"
CATEGORY = "Сантехника"
TOPUP = 100
TIMER_SECONDS = 60
"""How long the schedule may take to notice a due order; the contract wants about ten."""


@dataclass
class Person:
    """One traveller: a new Telegram id on every run, so journeys do not meet."""

    first_name: str
    id: int = field(default_factory=lambda: 7_000_000_000 + secrets.randbelow(10**9))
    balance: int = 0

    @property
    def token(self) -> str:
        """Fresh initData, as Telegram would give it to the Mini App."""
        user = {"id": self.id, "first_name": self.first_name, "language_code": "ru", "allows_write_to_pm": True}
        return sign_init_data(settings.INTEGRATIONS.telegram_bot_token, user, int(time.time()))


@dataclass
class Cast:
    """Everybody who travels."""

    client: Person = field(default_factory=lambda: Person("Малика"))
    executors: list[Person] = field(default_factory=lambda: [Person("Тимур"), Person("Сергей"), Person("Mehmet")])
    poor: Person = field(default_factory=lambda: Person("Павел"))

    @property
    def all(self) -> list[Person]:
        return [self.client, *self.executors, self.poor]


def run(client: Any) -> None:
    """Drive the whole way. Raises `Mismatch` at the first difference."""
    cast = Cast()
    _open_the_door(client)
    _sign_in(client, cast)
    with client.socket("/ws/orders/") as watching, client.socket("/ws/orders/") as buying:
        _listen(client, cast, watching, buying)
        order = _post(client, cast, watching)
        _top_up(client, cast, buying)
        _sell_the_contact(client, cast, order, watching, buying)
        _finish(client, cast, order, watching)
        _judge(client, cast, order)
        if sees_the_books := _sees(order):
            _let_one_expire(client, cast, watching, buying)
    _read_the_messages(client, cast)
    if sees_the_books:
        _balance_the_books(client, cast)
    else:
        client.say("– expiry and books not walked: set DATA_DIR or DATABASE_URL as the server has it")


def _open_the_door(client: Any) -> None:
    with client.step("the house is healthy and greets programs"):
        client.same("health", client.call("GET", "/health"), {"status": "healthy"})
        greeting = client.call("GET", "/")
        client.same("greeting", (greeting["status"], greeting["docs"]), ("operational", "/docs"))
    with client.step("the same paths answer at the root and with a slash"):
        client.same("cities", client.call("GET", "/api/cities/", to=client.base), client.call("GET", "/api/cities"))


def _sign_in(client: Any, cast: Cast) -> None:
    with client.step("nobody gets in without initData, nor with a forged one"):
        client.call("GET", "/api/users/me", expect=401)
        forged = cast.client.token[:-1] + ("0" if cast.client.token[-1] != "0" else "1")
        refusal = client.call("GET", "/api/users/me", token=forged, expect=401)
        client.sure("the refusal names the reason", "Invalid hash - data integrity check failed" in refusal["detail"])
    with client.step("five people sign in with Telegram initData"):
        for person in cast.all:
            profile = client.call("GET", "/api/users/me", token=person.token)
            client.same(
                "profile", (profile["id"], profile["first_name"], profile["balance"]), (person.id, person.first_name, 0)
            )


def _listen(client: Any, cast: Cast, watching: Any, buying: Any) -> None:
    with client.step("two WebSockets prove who they are and choose what to hear"):
        for socket, person in ((watching, cast.poor), (buying, cast.executors[0])):
            socket.send({"type": "auth", "init_data": person.token})
            socket.send({"type": "subscribe", "cities": [CITY], "categories": [CATEGORY]})
            client.heard(socket, "subscribed")


def _order_body(contact: str) -> dict[str, str]:
    return {
        "category": CATEGORY,
        "description": "Течёт кран на кухне, нужна помощь сегодня",
        "city": CITY,
        "contact": contact,
    }


def _new_contact() -> str:
    return f"+7 9{secrets.randbelow(10**9):09d}"


def _post(client: Any, cast: Cast, watching: Any) -> str:
    body = _order_body(_new_contact())
    with client.step("a client posts an urgent order"):
        refused = client.call(
            "POST", "/api/orders", token=cast.client.token, body={**body, "description": "мало"}, expect=422
        )
        client.same("the field that is refused", refused["detail"][0]["loc"], ["body", "description"])
        posted = client.call("POST", "/api/orders", token=cast.client.token, body=body, expect=201)
        client.same("order", (posted["status"], posted["contact"], posted["taken_by"]), ("active", body["contact"], []))
        order_id = str(posted["id"])
    with client.step("the same contact twice is refused (409)"):
        client.call("POST", "/api/orders", token=cast.client.token, body=body, expect=409)
    with client.step("the order arrives over the WebSocket, without its contact"):
        frame = watching.wait_for(
            lambda seen: seen.get("type") == "order.created" and seen["order"]["id"] == order_id, 20
        )
        client.sure("the frame came", frame is not None)
        client.sure("it hides the contact", body["contact"] not in str(frame))
    with client.step("everybody sees the order, nobody the contact"):
        query = f"?status=active&city={quote(CITY)}&category={quote(CATEGORY)}"
        listed = client.call("GET", f"/api/orders{query}")
        client.same("contacts in the list", {row["contact"] for row in listed["orders"]}, {None})
        client.sure("the order is in the list", order_id in {row["id"] for row in listed["orders"]})
        client.same(
            "contact for a stranger",
            client.call("GET", f"/api/orders/{order_id}", token=cast.poor.token)["contact"],
            None,
        )
    return order_id


def _top_up(client: Any, cast: Cast, buying: Any) -> None:
    for person in cast.executors:
        with client.step(f"{person.first_name} tops up {TOPUP} ₽: invoice, payment, webhook"):
            bill = client.call("POST", "/api/balance/create-invoice", token=person.token, body={"amount": TOPUP})
            path = f"/api/balance/payment/{bill['payment_id']}/status"
            client.same("status before", client.call("GET", path, token=person.token)["status"], "pending")
            client.call("GET", path, token=cast.poor.token, expect=404)
            client.pay(bill["pay_url"], do="pay")
            paid = client.until("the payment", lambda path=path, token=person.token: _paid(client, path, token))
            client.same("credited", (paid["amount"], paid["new_balance"]), (TOPUP, TOPUP))
            person.balance = TOPUP
    with client.step("the new balance arrives over the WebSocket of its owner"):
        client.heard(buying, "balance", balance=TOPUP)


def _paid(client: Any, path: str, token: str) -> dict[str, Any] | None:
    status: dict[str, Any] = client.call("GET", path, token=token)
    return status if status["status"] == "paid" else None


def _sell_the_contact(client: Any, cast: Cast, order_id: str, watching: Any, buying: Any) -> None:
    path, price = f"/api/orders/{order_id}/take", settings.URGENT.order_take_cost
    with client.step("an executor without money is refused (402)"):
        refused = client.call("POST", path, token=cast.poor.token, expect=402)
        client.same("detail", refused["detail"], f"Insufficient balance. Need {price}₽")
    with client.step("the client cannot buy his own contact (403)"):
        client.call("POST", path, token=cast.client.token, expect=403)
    for count, person in enumerate(cast.executors, start=1):
        with client.step(f"{person.first_name} buys the contact for {price} ₽; asking again is free"):
            person.balance -= price
            taken = client.call("POST", path, token=person.token)
            client.same("take", (taken["executor_count"], taken["new_balance"]), (count, person.balance))
            client.same("the repeat", client.call("POST", path, token=person.token), taken)
            shown = client.call("GET", f"/api/orders/{order_id}", token=person.token)
            client.same("the contact on the order", shown["contact"], taken["contact"])
    with client.step("a fourth executor is refused (409)"):
        refused = client.call("POST", path, token=cast.poor.token, expect=409)
        client.same("detail", refused["detail"], f"Maximum {settings.URGENT.max_executors_per_order} executors reached")
    with client.step("onlookers hear the count, the payer hears the contact"):
        client.heard(watching, "order.taken", order_id=order_id, executor_count=len(cast.executors))
        client.heard(buying, "order.contact", order_id=order_id)
        client.sure("onlookers hear no contact", all(frame.get("type") != "order.contact" for frame in watching.frames))


def _finish(client: Any, cast: Cast, order_id: str, watching: Any) -> None:
    token, path = cast.client.token, f"/api/orders/{order_id}"
    with client.step("a taken order can be neither edited nor deleted (403)"):
        client.call("PUT", path, token=token, body={"category": "Другое"}, expect=403)
        client.call("DELETE", path, token=token, expect=403)
    with client.step("the client answers, once"):
        client.sure(
            "the answer is stamped", client.call("POST", f"{path}/respond", token=token)["customer_responded_at"]
        )
        client.call("POST", f"{path}/respond", token=token, expect=409)
    with client.step("the client confirms the work; everybody's counters move"):
        client.same("status", client.call("POST", f"{path}/complete", token=token)["status"], "completed")
        client.call("POST", f"{path}/complete", token=token, expect=410)
        for person in (cast.client, *cast.executors):
            profile = client.call("GET", "/api/users/me", token=person.token)
            client.same("counters", (profile["completed_orders"], profile["active_orders"]), (1, 0))
        client.heard(watching, "order.closed", order_id=order_id, status="completed")


def _judge(client: Any, cast: Cast, order_id: str) -> None:
    first, second = cast.executors[:2]
    with client.step("the client reviews an executor, once"):
        review = {"order_id": order_id, "rating": 5, "comment": "Быстро и аккуратно", "executor_id": first.id}
        client.call("POST", "/api/reviews/client", token=cast.client.token, body=review)
        client.call("POST", "/api/reviews/client", token=cast.client.token, body=review, expect=409)
        client.same("rating", client.call("GET", "/api/users/me", token=first.token)["rating"], 5.0)
        mine = client.call("GET", "/api/reviews?mine=true", token=first.token)
        client.same(
            "reviews of the executor",
            [(row["rating"], row["author_name"]) for row in mine],
            [(5, cast.client.first_name)],
        )
    with client.step("an executor complains, once; a stranger cannot"):
        complaint = {"order_id": order_id, "complaint": "Ложная информация"}
        client.call("POST", "/api/reviews/executor", token=second.token, body=complaint)
        client.call("POST", "/api/reviews/executor", token=second.token, body=complaint, expect=409)
        client.call("POST", "/api/reviews/executor", token=cast.poor.token, body=complaint, expect=404)
        check = client.call("GET", f"/api/reviews/check?order_id={order_id}", token=second.token)
        client.same("check", check, {"submitted": True, "type": "complaint"})


def _let_one_expire(client: Any, cast: Cast, watching: Any, buying: Any) -> None:
    executor = cast.executors[0]
    with client.step("a second order is bought and never answered"):
        posted = client.call(
            "POST", "/api/orders", token=cast.client.token, body=_order_body(_new_contact()), expect=201
        )
        order_id = str(posted["id"])
        client.call("POST", f"/api/orders/{order_id}/take", token=executor.token)
    with client.step("its hour passes: the schedule expires it by itself"):
        _turn_the_clock(client, order_id)
        client.heard(watching, "order.closed", seconds=TIMER_SECONDS, order_id=order_id, status="expired")
        client.same("status", client.call("GET", f"/api/orders/{order_id}")["status"], "expired")
        client.call("POST", f"/api/orders/{order_id}/take", token=cast.executors[1].token, expect=410)
    with client.step("nobody answered, so the executor has his money back"):
        client.until("the refund", lambda: _balance(client, executor) == executor.balance)
        client.heard(buying, "balance", balance=executor.balance)


def _sees(order_id: str) -> bool:
    """Whether this process reads the server's own database; another laptop folder may not even have the table."""
    try:
        return Order.objects.filter(pk=order_id).exists()
    except DatabaseError:
        return False


def _turn_the_clock(client: Any, order_id: str) -> None:
    """Make the order an hour older, in the table: a journey cannot wait."""
    hour, now = timedelta(minutes=settings.URGENT.order_lifetime_minutes), timezone.now()
    Order.objects.filter(pk=order_id).update(
        created_at=F("created_at") - hour, first_taken_at=F("first_taken_at") - hour, expires_at=now, due_at=now
    )


def _read_the_messages(client: Any, cast: Cast) -> None:
    with client.step("the bot has told the client and the executor"):
        for person in (cast.client, cast.executors[0]):
            path = f"/messages?channel=bot&to={person.id}"
            client.until(f"a message to {person.first_name}", lambda path=path: client.vendor("GET", path), seconds=60)


def _balance(client: Any, person: Person) -> int:
    return int(client.call("GET", "/api/balance", token=person.token)["balance"])


def _balance_the_books(client: Any, cast: Cast) -> None:
    with client.step("every balance equals the ledger, to the rouble"):
        for person in cast.all:
            user = Member.objects.select_related("user").get(pk=person.id).user
            booked = ledger.balance(user, conf.BOOK, conf.CURRENCY)
            entries = sum(entry.amount for entry in ledger.entries_of(user, conf.BOOK, conf.CURRENCY))
            client.same(
                f"balance of {person.first_name}",
                (_balance(client, person), booked, entries),
                (person.balance, person.balance, person.balance),
            )
    with client.step("the books are sound: chains hold and every currency sums to zero"):
        report = ledger.audit()
        client.same("faults", [str(fault) for fault in report.faults], [])
        client.same("sums", {currency: int(total) for currency, total in report.sums.items() if total}, {})
