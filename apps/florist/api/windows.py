"""When a shop brings flowers (contract florist 3.7)."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.core import throttle
from apps.core.errors import Invalid, TooMany
from apps.core.routing import path
from apps.core.throttle import Limit
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.api import order_shapes as shapes
from apps.florist.api.base import FloristView, Id
from apps.florist.models import Order, Shop
from apps.florist.queries import windows as calendar


class WindowsQuery(Shape):
    """Which day; strangers name the shop."""

    date: shapes.PlainDay | None = None
    method: shapes.Method = Order.Method.DELIVERY
    shop_id: Id | None = None


class DeliveryWindows(FloristView):
    """When the shop brings flowers."""

    tag = "orders"

    @endpoint(
        query=WindowsQuery,
        login="optional",
        answers={200: shapes.OfferList},
        refusals=[errors.ShopNotFound, TooMany],
        summary="Delivery windows of a day",
    )
    def get(self, request: Any, *, query: WindowsQuery) -> dict[str, Any]:
        """Open and shut ones with the reason, and the zones with their prices. Strangers are counted by address."""
        shop = request.member.shop if request.member is not None else self._shop(request, query.shop_id)
        offers = calendar.offered(shop, query.date or calendar.today_of(shop), query.method)
        return {
            "items": [_offer(offer) for offer in offers],
            "total": len(offers),
            "zones": [_zone(zone) for zone in calendar.zones(shop)],
        }

    def _shop(self, request: Any, shop_id: int | None) -> Shop:
        caller = throttle.neighbourhood(throttle.client_address(request))
        throttle.hit("florist.windows", caller, Limit(settings.FLORIST.public_per_minute, 60))
        if shop_id is None:
            raise Invalid.field("shop_id", "Field required", kind="missing", where="query")
        return calendar.open_shop(shop_id)


def _offer(offer: calendar.Offer) -> dict[str, Any]:
    return {
        "from": offer.starts,
        "to": offer.ends,
        "surcharge": offer.surcharge,
        "left": offer.left,
        "is_open": offer.is_open,
        "reason": offer.reason or None,
    }


def _zone(zone: Any) -> dict[str, Any]:
    return {"id": zone.pk, "name": zone.name, "price": zone.price, "min_order": zone.min_order}


urlpatterns = [path("api/delivery-windows/", DeliveryWindows, name="delivery-windows")]
