"""The shop's journey: a buyer's and an administrator's day on a running server (`manage.py journey shop`).

`client` is the roof's driver (`portal.driving.Client`). The journey shares the server's database for two things that no
client can do: making the first administrator, and comparing orders with the money. Without it the buyer's half is
walked. It makes some 70 calls, which fit into the limit of one address and minute once: a second journey waits.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import DatabaseError

from apps.payments import queries as money
from apps.shop.actions import customers
from apps.shop.models import Order
from apps.shop.queries import customers as people
from apps.shop.queries import finance

PASSWORD = "a journey of its own"  # noqa: S105 - of people that live for one journey
CALLS = 75
LONGEST_WAIT = 130
"""Seconds: two windows of the limit."""

STOCK, WANTED = 5, 3
PRICE = 50_000
CREATE, REFUND = "/payments/octo/create", "/payments/octo/refund"


@dataclass
class Person:
    """One traveller: a new name and phone on every run, so journeys do not meet."""

    called: str
    token: str = ""
    mark: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def name(self) -> str:
        return f"{self.called} {self.mark}"

    @property
    def phone(self) -> str:
        return f"+99890{int(self.mark, 16) % 10**7:07d}"


@dataclass
class Cast:
    """Everybody who travels."""

    buyer: Person = field(default_factory=lambda: Person("Nilufar"))
    stranger: Person = field(default_factory=lambda: Person("Rustam"))
    admin: Person = field(default_factory=lambda: Person("Sardor"))


def run(client: Any) -> None:
    """Drive the whole way. Raises `Mismatch` at the first difference."""
    cast = Cast()
    _open_the_door(client)
    _register(client, cast)
    has_admin = _make_admin(client, cast)
    product = _product(client, cast) if has_admin else _anything(client)
    _fill_the_cart(client, cast, product)
    order = _order(client, cast, product)
    number = _pay(client, cast, order)
    _knock_with_forgeries(client, cast, order, number)
    if has_admin:
        _pack(client, cast, order)
        _give_back(client, cast, order, product, number)
    _give_up_and_try_again(client, cast, product)
    _leave(client, cast)
    if has_admin:
        _compare(client)
    else:
        client.say("– refunds and books not walked: set DATA_DIR or DATABASE_URL as the server has it")


def _open_the_door(client: Any) -> None:
    with client.step("the limit of this address leaves room for a journey"):
        client.until("room", lambda: _room(client) >= CALLS, seconds=LONGEST_WAIT, pause=3)
    with client.step("the shop is healthy and greets programs"):
        client.same("health", client.call("GET", "/health")["status"], "healthy")
        greeting = client.call("GET", "/")
        client.same("greeting", (greeting["version"], greeting["status"]), ("2.0.0", "operational"))
    with client.step("the same paths answer at the root and without a slash"):
        listed = client.call("GET", "/slippers/?limit=1")
        client.same("products", client.call("GET", "/slippers?limit=1", to=client.base), listed)


def _room(client: Any) -> int:
    """Calls that are left in this window; a server without a limit says nothing about it."""
    headers = client.ask("GET", "/health").headers
    return int(headers.get("x-ratelimit-remaining", CALLS))


def _register(client: Any, cast: Cast) -> None:
    buyer, stranger, admin = cast.buyer, cast.stranger, cast.admin
    with client.step("a buyer registers; nobody becomes an administrator by asking"):
        for person in (buyer, admin):
            person.token = _registered(client, person)["access_token"]
        client.same("my rights", client.call("GET", "/users/me", token=buyer.token)["is_admin"], False)
        client.call("GET", "/users/", token=buyer.token, expect=403)
    with client.step("the seed's own shape of registering is taken as well"):
        body = {"username": stranger.name, "email": f"{stranger.mark}@example.com", "password": PASSWORD}
        stranger.token = client.call("POST", "/auth/register", body=body)["access_token"]
    with client.step("a taken name and a wrong password are refused"):
        client.call("POST", "/auth/register", body=_words(buyer), expect=400)
        wrong = {"username": buyer.name, "password": "not this one"}
        client.call("POST", "/auth/login", body=wrong, expect=401)
        signed_in = client.call("POST", "/auth/login", body=wrong | {"password": PASSWORD})
        client.same("minutes of a token", signed_in["expires_in"], 15)


def _words(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "surname": "Journey",
        "phone_number": person.phone,
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "is_admin": True,
    }


def _registered(client: Any, person: Person) -> dict[str, Any]:
    session: dict[str, Any] = client.call("POST", "/auth/register", body=_words(person))
    client.same("rights in the answer", session["user"]["is_admin"], False)
    return session


def _make_admin(client: Any, cast: Cast) -> bool:
    """Whether this process reads the server's own database; another laptop folder may not even have the table."""
    try:
        customer = people.called(cast.admin.name)
    except DatabaseError:
        return False
    if customer is None:
        return False
    with client.step("the operator makes the first administrator"):
        customers.set_admin(by=None, customer=customer, is_admin=True, reason="journey")
        client.same("his rights", client.call("GET", "/users/me", token=cast.admin.token)["is_admin"], True)
    return True


def _product(client: Any, cast: Cast) -> int:
    token = cast.admin.token
    with client.step("the administrator puts a product on a new shelf; everybody finds it"):
        shelf = client.call("POST", "/categories/", token=token, body={"name": f"Shelf {cast.admin.mark}"})
        body = {"name": f"Тапочки {cast.admin.mark}", "size": "42", "price": PRICE, "quantity": STOCK}
        client.call("POST", "/slippers/", token=cast.buyer.token, body=body, expect=403)
        made = client.call("POST", "/slippers/", token=token, body=body | {"category_id": shelf["id"]})
        found = client.call("GET", f"/slippers/?search={cast.admin.mark}")
        client.same("found", [(row["id"], row["quantity"]) for row in found["items"]], [(made["id"], STOCK)])
    return int(made["id"])


def _anything(client: Any) -> int:
    """Some product with enough pieces."""
    with client.step("there is something to buy"):
        rows = client.call("GET", "/slippers/?limit=100")["items"]
        fitting = [row["id"] for row in rows if row["quantity"] >= 2 * WANTED]
        client.sure("a product has pieces enough", bool(fitting))
    return int(fitting[0])


def _left(client: Any, product: int) -> int:
    return int(client.call("GET", f"/slippers/{product}")["quantity"])


def _fill_the_cart(client: Any, cast: Cast, product: int) -> None:
    token = cast.buyer.token
    with client.step("goods go into the cart; more than there is does not"):
        line = {"slipper_id": product, "quantity": WANTED - 1}
        cart = client.call("POST", "/cart/items", token=token, body=line)
        cart = client.call("PUT", f"/cart/items/{cart['items'][0]['id']}", token=token, body={"quantity": WANTED})
        client.same("pieces", cart["total_quantity"], WANTED)
        client.call("POST", "/cart/items", token=token, body=line | {"quantity": 900}, expect=409)
        client.same("the cart of another", client.call("GET", "/cart", token=cast.stranger.token)["items"], [])


def _order(client: Any, cast: Cast, product: int) -> int:
    token, before = cast.buyer.token, _left(client, product)
    with client.step("the cart becomes an order and its goods are kept"):
        placed = client.call("POST", "/orders/from-cart", token=token)
        client.same("order", (placed["status"], placed["order_id"]), ("pending", str(placed["id"])))
        client.same("pieces left", _left(client, product), before - WANTED)
        client.same("pieces in the cart until payment", _in_cart(client, token), WANTED)
    with client.step("a stranger sees nothing of it; its owner cannot make it paid"):
        path = f"/orders/{placed['id']}"
        client.call("GET", path, token=cast.stranger.token, expect=403)
        client.call("PUT", path, token=token, body={"status": "PAID"}, expect=403)
        client.same("status", client.call("GET", path, token=token)["status"], "pending")
    return int(placed["id"])


def _in_cart(client: Any, token: str) -> int:
    return int(client.call("GET", "/cart/total", token=token)["total_quantity"])


def _status(client: Any, cast: Cast, order: int) -> str:
    return str(client.call("GET", f"/orders/{order}", token=cast.buyer.token)["status"])


def _pay(client: Any, cast: Cast, order: int) -> str:
    token, body = cast.buyer.token, {"order_id": order}
    with client.step("only the buyer pays, and only the whole price"):
        client.call("POST", CREATE, token=cast.stranger.token, body=body, expect=403)
        client.call("POST", CREATE, token=token, body=body | {"amount": 1}, expect=422)
    with client.step("an open payment is used again"):
        first = client.call("POST", CREATE, token=token, body=body)
        client.same("second page", client.call("POST", CREATE, token=token, body=body), first)
    with client.step("the buyer pays on the bank's page; the order is confirmed and the cart empty"):
        client.pay(first["redirect_url"], do="pay")
        client.until("the confirmation", lambda: _status(client, cast, order) == "confirmed")
        client.same("pieces in the cart", _in_cart(client, token), 0)
        client.call("POST", CREATE, token=token, body=body, expect=409)
        client.call("DELETE", f"/orders/{order}", token=token, expect=409)
    return str(first["payment_uuid"])


def _knock_with_forgeries(client: Any, cast: Cast, order: int, number: str) -> None:
    with client.step("forged and repeated notices of the bank change nothing"):
        for word in ("canceled", "refunded", "created"):
            told = client.vendor("POST", "/octo/control/forge", {"uuid": number, "status": word})
            client.same(f"answer to a forged {word}", told["delivery"]["status"], 403)
        seen = client.call("GET", f"/payments/octo/{number}", token=cast.buyer.token)
        client.same("payment", (seen["status"], seen["refunded_amount"]), ("paid", 0))
        client.same("order", _status(client, cast, order), "confirmed")
        client.call("GET", f"/payments/octo/{number}", token=cast.stranger.token, expect=404)


def _pack(client: Any, cast: Cast, order: int) -> None:
    with client.step("the administrator packs it; a paid order cannot be cancelled"):
        path, token = f"/orders/{order}", cast.admin.token
        client.call("PUT", path, token=token, body={"status": "preparing"})
        client.call("PUT", path, token=token, body={"status": "cancelled"}, expect=409)


def _give_back(client: Any, cast: Cast, order: int, product: int, number: str) -> None:
    token, part = cast.admin.token, PRICE // 2
    with client.step("a part goes back, once, however often it is asked for"):
        body = {"octo_payment_UUID": number, "amount": part, "shop_refund_id": f"journey-{cast.admin.mark}"}
        client.call("POST", REFUND, token=cast.buyer.token, body=body, expect=403)
        first = client.call("POST", REFUND, token=token, body=body)
        client.same("refund", (first["status"], first["refunded_amount"]), ("preparing", part))
        client.same("the repeat", client.call("POST", REFUND, token=token, body=body), first)
    with client.step("never more than was paid; the rest ends the order and fills the shelf"):
        client.call("POST", REFUND, token=token, body={"order_id": order, "amount": WANTED * PRICE}, expect=422)
        rest = client.call("POST", REFUND, token=token, body={"order_id": order, "reason": "wrong size"})
        told = (rest["status"], rest["refunded_amount"], rest["payment_status"])
        client.same("refund", told, ("REFUNDED", WANTED * PRICE, "refunded"))
        client.call("POST", REFUND, token=token, body={"order_id": order}, expect=400)
        client.same("pieces left", _left(client, product), STOCK)
    with client.step("the finance list shows it to the administrator and to the buyer"):
        for person in (cast.admin, cast.buyer):
            rows = client.call("GET", "/orders/?finance=paid_refunded", token=person.token)
            shown = [row["payment_status"] for row in rows if row["id"] == order]
            client.same(f"rows of the order for {person.called}", shown, ["refunded"])


def _give_up_and_try_again(client: Any, cast: Cast, product: int) -> None:
    token, before = cast.buyer.token, _left(client, product)
    body = {"items": [{"slipper_id": product, "quantity": 1}]}
    with client.step("goods are ordered and paid in one call; a cancelled attempt leaves room for the next"):
        first = client.call("POST", CREATE, token=token, body=body)
        client.pay(first["redirect_url"], do="cancel")
        client.same("order", _status(client, cast, first["order_id"]), "pending")
        second = client.call("POST", CREATE, token=token, body=body)
        client.same("order of the second attempt", second["order_id"], first["order_id"])
        client.sure("it has a page of its own", second["redirect_url"] != first["redirect_url"])
    with client.step("its first notice is lost, the bank sends another"):
        client.pay(second["redirect_url"], do="silent")
        client.same("order", _status(client, cast, second["order_id"]), "pending")
        client.pay(second["redirect_url"], do="again")
        client.until("the confirmation", lambda: _status(client, cast, second["order_id"]) == "confirmed")
        client.same("pieces left", _left(client, product), before - 1)


def _leave(client: Any, cast: Cast) -> None:
    with client.step("a refresh token works once; signing out ends the session"):
        body = {"name": cast.buyer.name, "password": PASSWORD}
        session = client.call("POST", "/auth/login", body=body)
        given = {"refresh_token": session["refresh_token"]}
        client.call("POST", "/auth/refresh", body=given)
        client.call("POST", "/auth/refresh", body=given, expect=401)
        client.call("POST", "/auth/logout", token=cast.buyer.token)


def _compare(client: Any) -> None:
    with client.step("orders and money tell the same story, to the tiyin"):
        client.same("faults of payments", [str(fault) for fault in money.audit().faults], [])
        ours = Order.objects.filter(customer__surname="Journey").values_list("pk", flat=True)
        wrong = [row for row in finance.mismatches() if row.order_id in set(ours)]
        client.same("orders without their money", wrong, [])
        for order in Order.objects.filter(customer__surname="Journey", status__in=Order.PAID):
            paid = money.settled_of("shop.order", str(order.pk))
            client.same("money of an order", paid and paid.captured_amount, Decimal(order.total_amount))
