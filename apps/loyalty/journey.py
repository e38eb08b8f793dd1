"""The restaurant's journey: what guests, waiters, managers and the till do in a day, on a running server.

`client` is the roof's driver (`portal.driving.Client`); the till and iiko are the sandbox's. The sample staff signs in,
so `manage.py seed` must have run. Each run is a new guest and asks for all five codes that an address gets in a quarter
of an hour; `OTP_RATE_LIMIT_PER_HOUR` lets it run more often.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.db import DatabaseError

from apps.ledger import queries as ledger
from apps.loyalty import seeding
from apps.loyalty.models import Client as Guest
from apps.loyalty.models import IikoNotice

API = "/api/v1"
SOCKET = f"{API}/notifications/ws?auth=frame"
ADDED, EARNED, PAID = 100_000, 30_000, 50_000
STORM = 8
"""Notices at once: the sandbox posts them one after the other while we wait for its answer."""

QUEUE_SECONDS = 60
"""How long the queue may take to reach iiko: it looks every two seconds and backs off while iiko is down."""


@dataclass
class Cast:
    """Who travels."""

    phone: str = field(default_factory=lambda: f"+99893{secrets.randbelow(10**7):07d}")
    stranger: str = field(default_factory=lambda: f"+99894{secrets.randbelow(10**7):07d}")
    manager: str = ""
    waiter: str = ""
    waiter_code: str = ""
    waiter_id: int = 0
    guest: str = ""
    guest_id: int = 0


def run(client: Any) -> None:
    """Drive the whole way. Raises `Mismatch` at the first difference."""
    cast = Cast()
    _open_the_door(client)
    _hire(client, cast)
    _register(client, cast)
    with client.socket(SOCKET) as inbox:
        _listen(client, cast, inbox)
        _earn_and_spend(client, cast, inbox)
        _go_to_the_till(client, cast, inbox)
        _announce(client, inbox, cast)
    _survive_iiko(client, cast)
    _look_at_figures(client, cast)
    _read_the_menu(client, cast)
    _balance_the_books(client, cast)
    _shut_out_and_let_in(client, cast)
    _leave_and_come_again(client, cast)


# The door -------------------------------------------------------------------------------------------------------------


def _open_the_door(client: Any) -> None:
    with client.step("the house is healthy, the demo's guest gets in without a row"):
        names = {part["name"] for part in client.call("GET", f"{API}/health")}
        client.same("parts", names, {"PostgreSQL", "Redis cache", "Background queue"})
        body = {"phone": "+998911111111", "code": "1111"}
        pair = client.call("POST", f"{API}/auth/client/verify-otp", body=body)["tokens"]
        me = client.call("GET", f"{API}/auth/me", token=pair["access_token"])
        client.same("the demo", (me["profile"]["id"], me["profile"]["name"]), (0, "Test User"))
        client.call("PUT", f"{API}/users/me", token=pair["access_token"], body={"name": "x"}, expect=401)
    with client.step("nobody gets in without a token, refusals speak Russian and Uzbek"):
        refusal = client.call("GET", f"{API}/auth/me", expect=401)["detail"]
        client.sure("two languages that differ", refusal["ru"] != refusal["uz"])


def _staff_token(client: Any, phone: str, password: str) -> str:
    body = {"phone": phone, "password": password}
    entered = client.call("POST", f"{API}/auth/staff/login", body=body)
    return str(entered["tokens"]["access_token"])


def _hire(client: Any, cast: Cast) -> None:
    with client.step("the sample manager signs in and hires a waiter with a code"):
        cast.manager = _staff_token(client, seeding.MANAGER_PHONE, seeding.PASSWORD)
        waiter = {"name": "Doston", "phone": f"+99895{secrets.randbelow(10**7):07d}", "password": "journey-1"}
        made = client.call("POST", f"{API}/waiters", token=cast.manager, body=waiter, expect=201)
        cast.waiter_id, cast.waiter_code = made["id"], made["referral_code"]
        client.call("POST", f"{API}/waiters", token=cast.manager, body=waiter, expect=409)
        cast.waiter = _staff_token(client, waiter["phone"], waiter["password"])
    with client.step("the waiter is no manager (403)"):
        client.call("GET", f"{API}/cashback", token=cast.waiter, expect=403)


def _register(client: Any, cast: Cast) -> None:
    with client.step("a phone that nobody knows cannot sign in (404), only register"):
        client.call("POST", f"{API}/auth/client/request-otp", body={"phone": cast.phone}, expect=404)
    with client.step("a guest registers with the texted code and the waiter's referral code"):
        _prove(client, cast, name="Aziza")
        me = client.call("GET", f"{API}/auth/me", token=cast.guest)
        cast.guest_id = me["profile"]["id"]
        client.same("profile", (me["profile"]["phone"], me["profile"]["waiter_id"]), (cast.phone, cast.waiter_id))
        client.same("cashback", (me["cashback"]["balance"], me["cashback"]["transactions"]), (0, []))
    with client.step("the queue introduces the guest to iiko, who gets a card"):
        client.until("the card", lambda: _me(client, cast)["cashback"]["cards"], seconds=QUEUE_SECONDS)


def _prove(client: Any, cast: Cast, *, purpose: str = "register", **newcomer: str) -> None:
    client.call("POST", f"{API}/auth/client/request-otp", body={"phone": cast.phone, "purpose": purpose}, expect=204)
    body = {"phone": cast.phone, "purpose": purpose, "waiter_referral_code": cast.waiter_code, **newcomer}
    wrong = {**body, "code": "000000"}
    client.call("POST", f"{API}/auth/client/verify-otp", body=wrong, expect=400)
    code = client.until("the text message", lambda: _texted(client, cast.phone))
    pair = client.call("POST", f"{API}/auth/client/verify-otp", body={**body, "code": code})["tokens"]
    cast.guest = str(pair["access_token"])


def _texted(client: Any, phone: str) -> str:
    """The newest code in the sandbox's letter box."""
    rows = client.vendor("GET", f"/messages?channel=sms&to={quote(phone)}")
    codes = [found[1] for row in rows if (found := re.search(r"\b(\d{4,8})\b", str(row.get("text", ""))))]
    return codes[0] if codes else ""


def _me(client: Any, cast: Cast) -> dict[str, Any]:
    return dict(client.call("GET", f"{API}/auth/me", token=cast.guest))


def _balance(client: Any, cast: Cast) -> float:
    return float(_me(client, cast)["cashback"]["balance"])


# Money ----------------------------------------------------------------------------------------------------------------


def _listen(client: Any, cast: Cast, inbox: Any) -> None:
    with client.step("the guest's socket is open"):
        inbox.send({"type": "auth", "token": cast.guest})


def _earn_and_spend(client: Any, cast: Cast, inbox: Any) -> None:
    with client.step(f"the manager gives {ADDED} UZS; the guest sees and hears it"):
        body = {"user_id": cast.guest_id, "amount": ADDED, "source": "MANUAL", "branch_id": 139235}
        row = client.call("POST", f"{API}/cashback/add", token=cast.manager, body=body)
        client.same("movement", (row["amount"], row["balance_after"]), (ADDED, ADDED))
        client.heard(inbox, "cashback_accrual", payload={"type": "cashback_accrual", "amount": f"{ADDED}.00"})
        client.same("balance", _balance(client, cast), ADDED)
    with client.step("spending is only asked about; nothing is deducted"):
        path, asked = f"{API}/cashback/use", {"user_id": cast.guest_id}
        allowed = client.call("POST", path, token=cast.manager, body={**asked, "amount": PAID})
        client.same("allowed", allowed["can_use_cashback"], True)
        client.call("POST", path, token=cast.manager, body={**asked, "amount": PAID - 1}, expect=400)
        client.call("POST", path, token=cast.manager, body={**asked, "amount": ADDED + 1}, expect=400)
        client.same("balance", _balance(client, cast), ADDED)
    with client.step("the waiter sees the guest, but not what the guest owns"):
        page = client.call("GET", f"{API}/users", token=cast.waiter)
        rows = [(row["id"], row["cashback_balance"]) for row in page["items"]]
        client.same("the waiter's guests", rows, [(cast.guest_id, 0)])


def _go_to_the_till(client: Any, cast: Cast, inbox: Any) -> None:
    with client.step("the till earns and spends; iiko's notices move the purse and are told"):
        # iiko counts for itself: the balance that it tells is what the purse holds afterwards.
        _move(client, cast, "Accrual", EARNED)
        client.heard(inbox, "cashback_accrual", payload={"type": "cashback_accrual", "amount": f"{EARNED}.00"})
        client.same("balance", _balance(client, cast), EARNED)
        _move(client, cast, "PayFromWallet", EARNED - 1_000)
        client.heard(inbox, "cashback_spent", payload={"type": "cashback_spent", "amount": f"-{EARNED - 1_000}.00"})
        client.same("balance", _balance(client, cast), 1_000)
    with client.step(f"{STORM} notices, each twice and in disorder, are booked once"):
        before = len(_history(client, cast))
        told = client.vendor("POST", "/iiko/control/storm", {"phone": cast.phone, "count": STORM, "repeats": 1})
        client.same("answers", set(told["statuses"]), {200})
        client.same("balance", _balance(client, cast), _at_iiko(client, cast))
        client.sure("a movement for each", len(_history(client, cast)) >= before + STORM)
    with client.step("a movement of a guest whom nobody knows is refused, and parked"):
        told = client.vendor("POST", "/iiko/control/stranger", {"phone": cast.stranger})
        client.same("answer", told["delivery"]["status"], 404)


def _move(client: Any, cast: Cast, kind: str, amount: int) -> None:
    told = client.vendor("POST", "/iiko/control/move", {"phone": cast.phone, "type": kind, "sum": amount})
    client.same("the notice", told["delivery"]["status"], 200)


def _history(client: Any, cast: Cast) -> list[Any]:
    path = f"{API}/cashback/user/{cast.guest_id}"
    return list(client.call("GET", path, token=cast.guest)["transactions"])


def _at_iiko(client: Any, cast: Cast) -> float:
    guests = client.vendor("POST", "/iiko/control/state", {})["guests"]
    mine = next(guest for guest in guests if guest["phone"] == cast.phone)
    return float(mine["walletBalances"][0]["balance"])


# Words ----------------------------------------------------------------------------------------------------------------


def _announce(client: Any, inbox: Any, cast: Cast) -> None:
    title = f"Closed on Monday {secrets.token_hex(3)}"
    with client.step("an announcement reaches socket and inbox, and is taken back"):
        body = {"title": title, "description": "The kitchen rests"}
        said = client.call("POST", f"{API}/notifications", token=cast.manager, body=body)
        frame = inbox.wait_for(lambda seen: seen.get("title") == title, QUEUE_SECONDS)
        client.sure("the frame came", frame is not None)
        row = client.call("GET", f"{API}/notifications/clients", token=cast.guest)["items"][0]
        client.same("the inbox", (row["title"], row["is_read"]), (title, False))
        client.call("POST", f"{API}/notifications/clients/{row['id']}/read", token=cast.guest, expect=204)
        client.call("DELETE", f"{API}/notifications/{said['id']}", token=cast.manager, expect=204)
        rows = client.call("GET", f"{API}/notifications/clients", token=cast.guest)["items"]
        client.sure("it is gone", title not in {row["title"] for row in rows})
    with client.step("news are put up, seen by everybody, and taken down"):
        piece = client.call("POST", f"{API}/news", token=cast.manager, body={"title": title, "description": "d"})
        client.sure("seen", piece["id"] in {row["id"] for row in client.call("GET", f"{API}/news")})
        client.call("DELETE", f"{API}/news/{piece['id']}", token=cast.manager, expect=204)
        client.sure("gone", piece["id"] not in {row["id"] for row in client.call("GET", f"{API}/news")})


def _survive_iiko(client: Any, cast: Cast) -> None:
    with client.step("iiko is down: the guest notices nothing, and iiko hears of it afterwards"):
        client.vendor("POST", "/iiko/control/down", {"seconds": 4})
        profile = client.call("PUT", f"{API}/users/me", token=cast.guest, body={"surname": "Karimova"})
        client.same("surname", profile["surname"], "Karimova")
        client.until("iiko to know", lambda: _surname_at_iiko(client, cast) == "Karimova", seconds=QUEUE_SECONDS)
    with client.step("a manager reads the guest from iiko at once"):
        told = client.call("POST", f"{API}/admin/sync/users/{cast.guest_id}", token=cast.manager)
        client.same("the reading", (told["success"], told["phone"]), (True, cast.phone))


def _surname_at_iiko(client: Any, cast: Cast) -> str:
    guests = client.vendor("POST", "/iiko/control/state", {})["guests"]
    return str(next(guest for guest in guests if guest["phone"] == cast.phone)["surname"])


def _look_at_figures(client: Any, cast: Cast) -> None:
    with client.step("figures, lists and logs for the manager"):
        figures = client.call("GET", f"{API}/dashboard/metrics", token=cast.manager)
        spread = sum(row["value"] for row in figures["loyaltyDistribution"])
        client.same("guests by level", spread, figures["totalClients"])
        found = client.call("GET", f"{API}/users?search={quote(cast.phone)}", token=cast.manager)
        client.same("found", [row["id"] for row in found["items"]], [cast.guest_id])
        for path in ("dashboard/activity", "cashback/waiter-stats", "stats/waiters", "logs/auth", "admin/auth-logs"):
            client.call("GET", f"{API}/{path}", token=cast.manager)


def _read_the_menu(client: Any, cast: Cast) -> None:
    with client.step("the restaurant's menu, live and in the catalogue"):
        live = client.until("the menu", lambda: _menu(client), seconds=QUEUE_SECONDS)
        client.sure("prices are whole", all(isinstance(price["price"], int) for price in _prices(live)))
        synced = client.call("POST", f"{API}/catalog/sync", token=cast.manager)
        client.same("sync", synced["status"], "ok")
        client.sure("dishes", len(client.call("GET", f"{API}/catalog/products")) > 0)


def _menu(client: Any) -> Any:
    live = client.call("GET", f"{API}/catalog/live")
    return live if live["success"] else None


def _prices(live: dict[str, Any]) -> list[dict[str, Any]]:
    return [price for shelf in live["categories"] for item in shelf["items"] for price in item["prices"]]


# The end --------------------------------------------------------------------------------------------------------------


def _balance_the_books(client: Any, cast: Cast) -> None:
    if not _sees(cast):
        client.say("– books not looked at: set DATA_DIR or DATABASE_URL as the server has it")
        return
    with client.step("the purse is the sum of its movements, and the books are sound"):
        guest = Guest.objects.select_related("purse", "user").get(pk=cast.guest_id)
        total = sum(row.amount for row in guest.transactions.all())
        client.same("balance", (float(guest.balance), _balance(client, cast)), (float(total), float(total)))
        client.same("faults", [str(fault) for fault in ledger.audit().faults], [])
        parked = IikoNotice.objects.filter(phone=cast.stranger, state=IikoNotice.State.PARKED).count()
        client.same("parked notices of the stranger", parked, 1)


def _sees(cast: Cast) -> bool:
    """Whether this process reads the server's own database."""
    try:
        return Guest.objects.filter(pk=cast.guest_id, phone=cast.phone).exists()
    except DatabaseError:
        return False


def _shut_out_and_let_in(client: Any, cast: Cast) -> None:
    path, old, balance = f"{API}/users/{cast.guest_id}/status", cast.guest, _balance(client, cast)
    with client.step("the manager shuts the guest out: the token is dead, no code is texted (403)"):
        client.call("POST", path, token=cast.waiter, body={"is_active": False}, expect=403)
        seen = client.call("POST", path, token=cast.manager, body={"is_active": False})
        client.same("the guest", (seen["id"], seen["is_active"]), (cast.guest_id, False))
        client.call("GET", f"{API}/auth/me", token=old, expect=401)
        client.call("POST", f"{API}/auth/client/request-otp", body={"phone": cast.phone}, expect=403)
    with client.step("let in again, a new code opens the door to the same purse; the old token stays dead"):
        seen = client.call("POST", path, token=cast.manager, body={"is_active": True})
        client.same("the guest", seen["is_active"], True)
        client.call("GET", f"{API}/auth/me", token=old, expect=401)
        _prove(client, cast, purpose="login")
        me = _me(client, cast)
        client.same("account", (me["profile"]["id"], me["cashback"]["balance"]), (cast.guest_id, balance))


def _leave_and_come_again(client: Any, cast: Cast) -> None:
    old, old_id = cast.guest, cast.guest_id
    with client.step("the guest leaves: the token is dead at once"):
        client.call("DELETE", f"{API}/users/me", token=old, expect=204)
        client.call("GET", f"{API}/auth/me", token=old, expect=401)
    with client.step("the same phone comes again as a new account with an empty history"):
        _prove(client, cast, name="Aziza")
        me = _me(client, cast)
        client.sure("another account", me["profile"]["id"] != old_id)
        client.same("history", me["cashback"]["transactions"], [])
