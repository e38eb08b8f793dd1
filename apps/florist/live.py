"""WebSocket paths of the flower shops (contract florist 3.10).

`/ws` with everything, `/ws/orders/{shop_id}`, `/ws/production/{shop_id}`, and for buyers `/ws/track/{token}`; all of
them also under the product base. The access token comes as `?token=`, a header or a subprotocol; without a good one
the socket closes with 1008. After a break a client says `?since=<timestamp of the last frame>` and hears what moved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import unquote

from django.conf import settings
from django.urls import re_path
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.core import throttle
from apps.core.errors import NotAllowed
from apps.core.throttle import Limit
from apps.florist import access, errors
from apps.florist.api.base import FloristBearer
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee
from apps.florist.queries import changes, employees, system, tracking
from apps.florist.queries.changes import MAKING, ORDERS
from apps.notifications import live
from apps.notifications.consumers import FORBIDDEN, TOO_MANY, UNAUTHENTICATED, HouseConsumer, Proof, Visitor

POLICY_VIOLATION = 1008


def desk(shop_id: int) -> str:
    """Everything about the orders of a shop."""
    return live.group(PRODUCT, "shop", shop_id)


def making(shop_id: int) -> str:
    """Everything about its tasks."""
    return live.group(PRODUCT, "making", shop_id)


def queue(shop_id: int) -> str:
    """Tasks that wait for a florist, and those just taken: no names."""
    return live.group(PRODUCT, "queue", shop_id)


def track(token: str) -> str:
    """One order's buyers."""
    return live.group(PRODUCT, "track", token)


def person(employee: Employee) -> str:
    """Somebody's own frames."""
    return live.person(employee.user_id, PRODUCT)


def groups_of(member: Employee) -> list[str]:
    """What somebody may hear, by the same levels as over HTTP: florists and couriers their own and what waits."""
    found = []
    if access.may(member, "orders", "read"):
        found.append(desk(member.shop_id))
    if access.may(member, "production", "read"):
        found.append(making(member.shop_id))
    elif access.may(member, "production", "own"):
        found.append(queue(member.shop_id))
    return found


class ShopConsumer(HouseConsumer):
    """A socket of somebody who works in a shop."""

    product = PRODUCT
    proofs = ("header", "subprotocol", "query")
    close_codes: ClassVar[dict[str, int]] = {UNAUTHENTICATED: POLICY_VIOLATION, FORBIDDEN: POLICY_VIOLATION}
    kinds: ClassVar[frozenset[str]] = ORDERS | MAKING
    area: ClassVar[access.Area | None] = None

    def __init__(self) -> None:
        super().__init__()
        self._events: frozenset[str] | None = None
        self._is_counted = False

    def authenticate(self, proof: Proof) -> Visitor:
        """The employee of this token, by the same rules as over HTTP; the shop in the address must be his."""
        user, found = FloristBearer().prove(proof.token)
        member = employees.named(user, found.subject)
        if member is None:
            raise errors.EmployeeGone()
        named = self.scope.get("url_route", {}).get("kwargs", {}).get("shop_id")
        if named is not None and int(named) != member.shop_id:
            raise NotAllowed()
        if self.area and not access.may(member, self.area, "own"):
            raise errors.NotEnoughPermissions()
        return Visitor(user_id=user.pk, member=member, expires_at=found.expires_at)

    async def groups(self, visitor: Visitor) -> list[str]:
        """Read anew each time somebody's rights change; who was dismissed is hung up on."""
        member = await self._ask(employees.named, visitor.user_id, str(visitor.member.pk))
        if member is None:
            await self.close(UNAUTHENTICATED)
        return groups_of(member)

    async def greet(self, proof: Proof) -> None:
        """Hello, and what moved since the client was last here."""
        assert self.visitor is not None  # greeted once known
        member = self.visitor.member
        await self._ask(system.count_socket, member.shop_id, 1)
        self._is_counted = True
        now = timezone.now().isoformat().replace("+00:00", "Z")
        self.send_json({"type": "connection", "status": "connected", "timestamp": now, "shop_id": member.shop_id})
        if (since := _since(self._query("since"))) is not None:
            for frame in await self._ask(changes.since, member, since, self.kinds):
                self.send_json(frame)

    def _query(self, name: str) -> str:
        pairs = (pair.partition("=") for pair in self.scope.get("query_string", b"").decode("latin-1").split("&"))
        return next((unquote(value) for key, _, value in pairs if key == name), "")

    async def _depart(self) -> None:
        if self._is_counted and self.visitor is not None:
            self._is_counted = False
            await self._ask(system.count_socket, self.visitor.member.shop_id, -1)
        await super()._depart()

    def wants(self, frame: dict[str, Any]) -> bool:
        """Frames of this path and of what was subscribed to; one's own of another shop are for another socket."""
        kind, shop_id = frame.get("type"), frame.get("shop_id")
        if self.visitor is None or shop_id not in (None, self.visitor.member.shop_id):
            return False
        return kind in self.kinds and (self._events is None or kind in self._events)

    def hears(self, row: dict[str, Any]) -> bool:
        """What was said in this shop, or to the person himself; his other shop's waits for that one's socket."""
        return self.visitor is not None and _shop_of(row) in (None, self.visitor.member.shop_id)

    def frame_of(self, row: dict[str, Any]) -> dict[str, Any]:
        """A message of the inbox; `shop_id` is null for what no shop said."""
        return {
            "type": "notification",
            "id": row["public_id"],
            "shop_id": _shop_of(row),
            "kind": row["kind"],
            "title": row["title"],
            "message": row["body"],
            "data": row["payload"],
            "timestamp": row["created_at"],
        }

    async def received(self, frame: dict[str, Any]) -> None:
        """`subscribe` narrows what is heard; deeds are for HTTP, whose rights and answers they need; else an echo."""
        kind = frame.get("type")
        if kind == "subscribe":
            self._subscribe(frame.get("events"))
        elif kind == "task_update":
            self.send_json({"type": "error", "code": "use_http", "detail": "PUT /api/production/tasks/{id}"})
        else:
            self.send_json({"type": "echo", "data": frame})

    def _subscribe(self, wanted: Any) -> None:
        """Unknown names are ignored; an empty list hears everything again."""
        names = frozenset(name for name in wanted if isinstance(name, str)) if isinstance(wanted, list) else frozenset()
        self._events = names & self.kinds if names else None
        self.send_json({"type": "subscribed", "events": sorted(self.kinds if self._events is None else self._events)})


class OrdersConsumer(ShopConsumer):
    """`/ws/orders/{shop_id}`."""

    kinds = ORDERS
    area = "orders"


class ProductionConsumer(ShopConsumer):
    """`/ws/production/{shop_id}`."""

    kinds = MAKING
    area = "production"


class TrackConsumer(HouseConsumer):
    """`/ws/track/{token}`: whoever has the link of an order hears that it moved, and looks again."""

    product = PRODUCT
    proofs = ("open",)
    replays = False
    close_codes: ClassVar[dict[str, int]] = {
        UNAUTHENTICATED: POLICY_VIOLATION,
        FORBIDDEN: POLICY_VIOLATION,
        TOO_MANY: POLICY_VIOLATION,
    }

    def authenticate(self, proof: Proof) -> Visitor:
        """Nobody in particular; the order's link must be alive. Counted per address like the page."""
        limit = Limit(settings.FLORIST.public_per_minute, 60)
        throttle.hit("florist:track:socket", throttle.neighbourhood(self._address()), limit)
        order = tracking.by_token(self._token())
        return Visitor(user_id=0, member=SimpleNamespace(status=order.status))

    async def groups(self, visitor: Visitor) -> list[str]:
        """The order's own."""
        return [track(self._token())]

    async def greet(self, proof: Proof) -> None:
        """Hello with the present status, so that nothing is missed by a break."""
        assert self.visitor is not None  # greeted once known
        self.send_json({"type": "connection", "status": "connected", "order_status": self.visitor.member.status})

    def _token(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["token"])

    def _address(self) -> str:
        headers = dict(self.scope.get("headers", ()))
        client = self.scope.get("client") or ("unknown", 0)
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        return throttle.client_address(
            SimpleNamespace(META={"REMOTE_ADDR": client[0], "HTTP_X_FORWARDED_FOR": forwarded})
        )


def _shop_of(row: dict[str, Any]) -> int | None:
    """The shop in which a row of the inbox was said."""
    shop_id: int | None = row["payload"].get("shop_id")
    return shop_id


def _since(text: str) -> datetime | None:
    """A moment in a query; nothing for anything else. Frames overlap a little: a double is better than a loss."""
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())) - OVERLAP


OVERLAP = timedelta(seconds=10)
"""Longer than a transaction takes between its clock and its commit."""

BASE = r"^(?:florist/)?ws"
websocket_urlpatterns = [
    re_path(BASE + r"/?$", ShopConsumer.as_asgi()),
    re_path(BASE + r"/orders/(?P<shop_id>[0-9]{1,18})/?$", OrdersConsumer.as_asgi()),
    re_path(BASE + r"/production/(?P<shop_id>[0-9]{1,18})/?$", ProductionConsumer.as_asgi()),
    re_path(BASE + r"/track/(?P<token>[A-Za-z0-9_-]{1,64})/?$", TrackConsumer.as_asgi()),
]
