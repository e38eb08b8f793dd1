"""The market's socket: orders by town and category; one's own money and bought contacts (contract urgent 10, roadmap).

The first frame proves who is there: `{"type": "auth", "init_data": "…"}`; Telegram's proof does not belong in an
address. Then `{"type": "subscribe", "cities": […], "categories": […]}` chooses what to hear: an empty list means all.
Frames out: `order.created`, `order.updated` (the public order), `order.taken` (a number), `order.closed` (a status),
and for the person alone `balance` and `order.contact`.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.urls import re_path
from pydantic import BaseModel, Field, ValidationError

from apps.accounts import actions as accounts
from apps.integrations.telegram import InitDataRefused, read_init_data
from apps.notifications import live
from apps.notifications.consumers import HouseConsumer, Proof, Visitor
from apps.urgent.actions import members
from apps.urgent.models import Order

PRODUCT = "urgent"
MAX_CITIES = 20


class Topics(BaseModel):
    """What a socket wants to hear; an empty list means all."""

    cities: list[str] = Field(default=[], max_length=MAX_CITIES)
    categories: list[Order.Category] = Field(default=[], max_length=len(Order.Category))


def topic(city: str = "", category: str = "") -> str:
    """The group of one town, one category, both, or everything; a socket is in one kind, so nothing comes twice."""
    return live.group(PRODUCT, "orders", city or "any", category or "any")


def topics_of(order: Order) -> list[str]:
    """Every group that hears of an order."""
    return [topic(), topic(city=order.city), topic(category=order.category), topic(order.city, order.category)]


class OrdersConsumer(HouseConsumer):
    """`/ws/orders/`, also under the product base."""

    product = PRODUCT
    proofs = ("frame",)

    def __init__(self) -> None:
        super().__init__()
        self._topics: Topics | None = None

    def authenticate(self, proof: Proof) -> Visitor:
        """The person behind the initData, by the same rules as over HTTP."""
        try:
            profile = read_init_data(proof.token)
        except InitDataRefused as refused:
            raise accounts.InitDataInvalid(reason=refused.reason) from refused
        user = accounts.person_from_telegram(profile)
        return Visitor(user_id=user.pk, member=members.join(user=user))

    async def groups(self, visitor: Visitor) -> list[str]:
        """What was subscribed to; nothing but the person's own frames until then."""
        if self._topics is None:
            return []
        cities = self._topics.cities or [""]
        categories = [str(category) for category in self._topics.categories] or [""]
        return [topic(city, category) for city in cities for category in categories]

    async def received(self, frame: dict[str, Any]) -> None:
        """`subscribe` replaces what was chosen before; a malformed one is answered and changes nothing."""
        if frame.get("type") != "subscribe" or self.visitor is None:
            return
        try:
            self._topics = Topics.model_validate(frame)
        except ValidationError:
            self.send_json({"type": "error", "code": "bad_subscription"})
            return
        await self._join_groups(self.visitor)
        self.send_json({"type": "subscribed", **self._topics.model_dump(mode="json")})


def send_order(kind: str, order: Order, shown: dict[str, Any]) -> None:
    """Tell everybody who listens to the order's town or category; `shown` is the public view, without the contact."""
    frame = {"type": kind, "order": orjson.loads(orjson.dumps(shown, option=orjson.OPT_UTC_Z))}
    live.send_many((group, frame) for group in topics_of(order))


def send_note(kind: str, order: Order, **facts: Any) -> None:
    """Like `send_order`, with an id and small facts only."""
    frame = {"type": kind, "order_id": order.pk, **facts}
    live.send_many((group, frame) for group in topics_of(order))


def send_balance(user_id: int, roubles: int) -> None:
    """A person's own new balance."""
    live.send(live.person(user_id, PRODUCT), {"type": "balance", "balance": roubles})


def send_contact(user_id: int, order: Order) -> None:
    """The contact, to somebody who has paid for it."""
    live.send(live.person(user_id, PRODUCT), {"type": "order.contact", "order_id": order.pk, "contact": order.contact})


websocket_urlpatterns = [re_path(r"^(?:urgent/)?ws/orders/?$", OrdersConsumer.as_asgi())]
