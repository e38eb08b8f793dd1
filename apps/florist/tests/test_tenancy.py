"""No shop ever sees another shop's row: every address is walked by a stranger (contract florist 3.1, defects 1 to 3).

The walk reads the urlconfs, so that a new path is covered on the day it is written; one that it does not understand
fails and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import URLPattern

from apps.florist.api.urls import urlpatterns as api_patterns
from apps.florist.live import websocket_urlpatterns
from apps.florist.models import Employee, Shop
from apps.florist.pages.urls import urlpatterns as page_patterns
from apps.florist.tests import examples, world
from apps.florist.tests.cast import Caller
from apps.florist.tests.seats import seated
from apps.florist.tests.sockets import Ear, token_of
from apps.florist.tests.workshop import picture
from apps.florist.tests.world import World

MARK = "Zzyzx"
"""Stands in every text of the shop that is spied upon."""

pytestmark = pytest.mark.usefixtures("quiet")

METHODS = ("get", "post", "put", "patch", "delete")

PUBLIC = {
    *("post api/auth/login", "post api/auth/refresh", "post api/auth/password", "post api/auth/request-otp"),
    *("post api/auth/verify-otp", "post api/telegram/send-otp", "post api/telegram/verify-otp"),
    *("post api/auth/complete-registration", "post api/auth/telegram-login", "post api/auth/florist-login"),
    *("post api/auth/telegram-register", "post api/telegram/webhook", "post api/orders/<order_id>/payment-webhook"),
    *("get uploads/<name>", "get api/delivery-windows/"),
    *("get api/public/products", "post api/public/orders", "get api/public/shops/<shop_id>"),
    *("get api/public/shops/<shop_id>/products", "get api/public/shops/<shop_id>/categories"),
    *("post api/public/shops/<shop_id>/orders", "get api/tracking/<token>", "get api/public/status/<token>"),
    *("get api/public/orders/<token>", "patch api/public/orders/<token>/address"),
    *("get api/public/orders/<token>/comments", "post api/public/orders/<token>/comments"),
    *("get api/public/orders/<token>/photos", "post api/public/orders/<token>/feedback"),
    *("post api/public/orders/<token>/pay", "post public/orders/<token>/pay"),
    *("get public/products", "post public/orders", "get public/shops/<shop_id>", "get public/shops/<shop_id>/products"),
    *("get public/shops/<shop_id>/categories", "post public/shops/<shop_id>/orders", "get public/status/<token>"),
    *("get public/orders/<token>", "patch public/orders/<token>/address", "get public/orders/<token>/comments"),
    *("post public/orders/<token>/comments", "get public/orders/<token>/photos", "post public/orders/<token>/feedback"),
}
"""Everything that answers without a sign-in: strangers, buyers, Telegram, the payment service (section 1)."""


@dataclass(frozen=True)
class Deed:
    """One method of one path."""

    method: str
    route: str
    handler: Any
    view: Any

    @property
    def name(self) -> str:
        return f"{self.method} {re.sub(r'<[a-z]+:', '<', self.route)}"

    @property
    def has_ids(self) -> bool:
        return "<" in self.route

    def path(self, ids: dict[str, Any]) -> str:
        filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids[_noun(self.route, found[1])]), self.route)
        return f"/{filled}{QUERIES.get(self.name, '')}"

    def body(self, ids: dict[str, Any]) -> Any:
        if self.name in BODIES:
            return BODIES[self.name]
        shape = self.handler.endpoint.body
        return examples.body(shape, ids) if shape else None


BODIES: dict[str, Any] = {"put api/products/<product_id>/images": ["https://example.kz/a.jpg"]}
"""Where a schema does not tell what is well-formed."""

MONTH = "?date_from=2026-11-01&date_to=2026-11-30"
QUERIES = {
    "get api/standing-orders/<standing_id>/invoice": "?month=2026-11",
    "get api/courier/figures": MONTH,
    "get api/production/florists/quality": MONTH,
}
"""Queries that a path cannot do without."""

ROLE_FIRST = {"post api/production/queue/get-next-task/<florist_id>"}
"""For oneself only: an owner is refused before anybody looks whose id it is."""


def _noun(route: str, name: str) -> str:
    """Which row a placeholder means: some names serve several nouns."""
    if name == "row_id":
        return {"delivery-zones": "zone_id", "slots": "slot_id", "special-days": "special_id"}[route.split("/")[2]]
    if name == "item_id":
        return {"orders": "order_item_id", "warehouse": "warehouse_item_id", "production": "task_item_id"}[
            route.split("/")[1]
        ]
    return {"name": "upload_name"}.get(name, name)


def deeds() -> Iterator[Deed]:
    for pattern in api_patterns:
        assert isinstance(pattern, URLPattern)
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        for method in METHODS:
            if (handler := getattr(view, method, None)) is not None:
                yield Deed(method, str(pattern.pattern), handler, view)


DEEDS = list(deeds())
PRIVATE = [deed for deed in DEEDS if deed.handler.endpoint.login == "required"]


FORMS: dict[str, dict[str, Any]] = {
    "post api/orders/<order_id>/photos": {"photo_type": "process"},
    "post api/stops/<stop_id>/failed": {"reason": "not_home", "next_step": "retry"},
}
"""What a form wants beside its picture."""

PICTURES = {"post api/upload/images": "files"}
"""What a form calls its picture, if not `file`."""


def ask(caller: Caller, deed: Deed, path: str, body: Any) -> Any:
    """With a picture where a form is wanted."""
    if body is None and getattr(deed.view, "parser_classes", None) and deed.method == "post" and not _is_json(deed):
        form = {PICTURES.get(deed.name, "file"): picture(), **FORMS.get(deed.name, {})}
        return caller.client.post(f"/florist{path}", form, headers=caller.headers)
    return caller(deed.method.upper(), path, body)


def _is_json(deed: Deed) -> bool:
    return deed.handler.endpoint.body is not None


def _nothing(wrong: dict[str, Any], moved: list[str]) -> None:
    """Every wrong answer on a line of its own."""
    assert not wrong, "\n" + "\n".join(f"{name}: {found}" for name, found in wrong.items())
    assert moved == []


@pytest.fixture
def spied(rosa: Shop) -> World:
    """The shop that must stay unseen."""
    Shop.objects.filter(pk=rosa.pk).update(name=f"Rosa {MARK}")
    rosa.refresh_from_db()
    return world.build(rosa, MARK)


@pytest.fixture
def stranger(spied: World, tulip: Shop) -> World:
    """The shop next door, with one of everything of its own."""
    return world.build(tulip, "own")


def test_what_answers_without_a_sign_in_is_listed() -> None:
    assert {deed.name for deed in DEEDS if deed.handler.endpoint.login != "required"} == PUBLIC


@pytest.mark.django_db
def test_everything_else_is_401(spied: World) -> None:
    before = world.snapshot()
    caller = Caller()
    wrong = {}
    for deed in PRIVATE:
        answer = ask(caller, deed, deed.path(spied.ids), deed.body(spied.ids))
        if answer.status_code != 401:
            wrong[deed.name] = answer.status_code
    _nothing(wrong, world.changed(before))


@pytest.mark.django_db
def test_ids_of_another_shop_in_a_path_are_404(spied: World, stranger: World) -> None:
    """As an owner, whom no role stops: 404 and never 403, 422 or 500; nothing of the other shop moves."""
    before = world.snapshot()
    caller = Caller(stranger.admin)
    wrong = {}
    for deed in PRIVATE:
        if deed.has_ids:
            body = deed.body(stranger.ids)
            answer = ask(caller, deed, deed.path(spied.ids), body)
            expected = 403 if deed.name in ROLE_FIRST else 404
            if answer.status_code != expected or MARK in answer.content.decode():
                wrong[deed.name] = (answer.status_code, body, answer.content.decode()[:300])
    _nothing(wrong, world.changed(before))


@pytest.mark.django_db
def test_ids_of_another_shop_in_a_body_are_refused(spied: World, stranger: World) -> None:
    """The path is one's own; whatever row the body names is not."""
    rows = world.snapshot()
    own = {name: {pk: row for pk, row in found.items() if _is_of(spied, row)} for name, found in rows.items()}
    caller = Caller(stranger.admin)
    wrong = {}
    for deed in PRIVATE:
        shape = deed.handler.endpoint.body
        if shape is None or not examples.names_ids(shape, spied.ids):
            continue
        body = deed.body(spied.ids)
        answer = ask(caller, deed, deed.path(stranger.ids), body)
        if not 400 <= answer.status_code < 500 or answer.status_code == 422 or MARK in answer.content.decode():
            wrong[deed.name] = (answer.status_code, body, answer.content.decode()[:300])
    _nothing(wrong, world.changed(own))


def _is_of(spied: World, row: dict[str, Any]) -> bool:
    return row.get("shop_id") == spied.shop.pk or MARK in str(row)


@pytest.mark.django_db
def test_lists_and_figures_show_nothing_of_another_shop(spied: World, stranger: World) -> None:
    caller = Caller(stranger.admin)
    wrong = {}
    for deed in PRIVATE:
        if deed.method == "get" and not deed.has_ids:
            answer = caller("GET", deed.path({}))
            if answer.status_code not in (200, 400, 403, 422) or MARK in answer.content.decode():
                wrong[deed.name] = (answer.status_code, answer.content.decode()[:300])
    _nothing(wrong, [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    ["search=Zzyzx", "shop_id={shop}", "customer_id={customer_id}&florist_id={florist_id}&courier_id={courier_id}"],
)
def test_no_filter_leads_out_of_the_shop(spied: World, stranger: World, query: str) -> None:
    asked = query.format(shop=spied.shop.pk, **spied.ids)
    caller = Caller(stranger.admin)
    for deed in PRIVATE:
        if deed.method == "get" and not deed.has_ids:
            answer = caller("GET", f"{deed.path({})}?{asked}")
            assert answer.status_code < 500, deed.name
            assert answer.status_code == 422 or MARK not in answer.content.decode(), deed.name


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────
DESK = [str(pattern.pattern) for pattern in page_patterns if str(pattern.pattern).startswith("desk/")]

OPEN_PAGES = {
    *("desk/florist/sign-in", "desk/florist/sign-out", "desk/florist/language", "desk/florist/manifest.webmanifest"),
    *("desk/florist/worker.js", "desk/florist/offline"),
}
"""Pages and files that everybody gets."""


def _page(route: str, ids: dict[str, Any], word: str) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(word if found[1] == "name" else ids[found[1]]), route)


WORDS_OF_DEEDS = ("start", "finish", "waste", "status", "cancel", "accept", "delivered", "card", "assign", "nonsense")


@pytest.mark.django_db
def test_pages_of_another_shops_rows_are_404(spied: World, stranger: World) -> None:
    before = world.snapshot()
    client = seated(stranger.admin)
    assert client.get("/desk/manager/").status_code == 200
    wrong = {}
    for route in DESK:
        for word in WORDS_OF_DEEDS if "<str:name>" in route else ("",):
            path = _page(route, spied.ids, word)
            for method in ("get", "post") if "_id>" in route else ("get",):
                answer = getattr(client, method)(path)
                if answer.status_code not in _fine(route, method) or MARK in answer.content.decode():
                    wrong[f"{method} {path}"] = (answer.status_code, answer.headers.get("Location"))
    _nothing(wrong, world.changed(before))


def _fine(route: str, method: str) -> tuple[int, ...]:
    """A button of a page that is not there leads back to it with a message, and that page is 404; couriers' are 403."""
    if "_id>" not in route:
        return (200, 204, 302, 303, 400, 403, 404, 405)
    if route.startswith("desk/courier/"):
        return (403, 404, 405)
    return (302, 404, 405) if method == "post" else (404, 405)


@pytest.mark.django_db
def test_pages_lead_strangers_to_the_door(spied: World) -> None:
    client = Client()
    for route in set(DESK) - OPEN_PAGES:
        answer = client.get(_page(route, spied.ids, "start"))
        assert answer.status_code in (302, 401, 403, 404, 405), route
        assert MARK not in answer.content.decode(), route


# ── sockets ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db(transaction=True)
async def test_sockets_of_another_shop_close(rosa: Shop, dana: Employee) -> None:
    token = await sync_to_async(token_of)(dana)
    walked = 0
    for pattern in websocket_urlpatterns:
        route = str(pattern.pattern)
        if "shop_id" in route:
            path = (
                re.sub(r"\(\?P<shop_id>[^)]*\)", str(rosa.pk), route).replace("^(?:florist/)?", "/").replace("/?$", "")
            )
            assert (await Ear(path, f"token={token}").open())["code"] == 1008, route
            walked += 1
    assert walked == 2
