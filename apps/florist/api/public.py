"""The storefront: what strangers see of a shop and how they order (contract florist 1.3). No token, throttled.

Each path answers below `/api/public` and, for the first storefront, below `/public`. Unknown keys of a body are
ignored: storefronts send prices, fees and totals, of which none is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from apps.core import throttle
from apps.core.errors import Invalid, TooMany
from apps.core.idempotency import KeyReused, ensure_key
from apps.core.routing import path
from apps.core.throttle import Limit
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import orders, windows
from apps.florist.actions.orders import STOREFRONT, OrderDraft
from apps.florist.actions.pricing import MOST_LINES, MOST_PIECES, LineWish
from apps.florist.api.base import FloristView, Id, Phone, Skip
from apps.florist.api.base import Limit as PageLimit
from apps.florist.api.order_shapes import OrderItemOut, OrderOut
from apps.florist.models import Order, Product, Shop
from apps.florist.queries import orders as order_questions
from apps.florist.queries import storefront
from apps.florist.queries.storefront import Wanted
from apps.florist.queries.windows import Window

ROOTS = ("api/public", "public")
KEY_HEADERS = ("Idempotency-Key", "X-Idempotency-Key")
METHODS = {"pickup": Order.Method.SELF_PICKUP}
"""Words of the storefronts and ours (contract 1.3)."""
PAYMENTS = {"card": Order.PaymentMethod.KASPI}


class PublicView(FloristView):
    """For strangers: so many calls per path, address and minute (contract 3.8)."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Raises `TooMany`."""
        super().initial(request, *args, **kwargs)
        limit = Limit(settings.FLORIST.public_per_minute, 60)
        caller = throttle.neighbourhood(throttle.client_address(request))
        throttle.hit(f"florist.public.{type(self).__name__}.{request.method}", caller, limit)


def _word(known: Mapping[str, str]) -> BeforeValidator:
    return BeforeValidator(
        lambda given: known.get(given, given) if isinstance(given, str) else given, json_schema_input_type=str
    )


Method = Annotated[Order.Method, _word(METHODS)]
Payment = Annotated[Order.PaymentMethod, _word(PAYMENTS)]
Words = Annotated[str, StringConstraints(strip_whitespace=True)]
Name = Annotated[Words, Field(max_length=100)]
Address = Annotated[Words, Field(max_length=500)]
Card = Annotated[str, Field(max_length=500)]
Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
MOST = 500
"""Products on one page of the short list."""


class ShopPath(Shape):
    """Which shop."""

    shop_id: Id


class ProductsQuery(Shape):
    """Prices are what a buyer pays now."""

    shop_id: Id
    skip: Skip = 0
    limit: PageLimit = 20
    category: Product.Category | None = None
    min_price: Price | None = None
    max_price: Price | None = None


class ShortQuery(Shape):
    """The same, with the stock and a search."""

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100
    category: Product.Category | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    in_stock: bool | None = None
    search: Annotated[str, Field(max_length=100)] = ""


class StorefrontWindow(Shape):
    """Any of the three forms that clients send (contract 3.7)."""

    from_: Annotated[str | None, Field(alias="from", max_length=40)] = None
    to: Annotated[str | None, Field(max_length=40)] = None
    from_time: Annotated[str | None, Field(max_length=40)] = None
    to_time: Annotated[str | None, Field(max_length=40)] = None
    date: Annotated[str | None, Field(max_length=40)] = None
    time: Annotated[str | None, Field(max_length=40)] = None


class StorefrontLine(Shape):
    """So many pieces; a price that a client sends is not read."""

    product_id: Id
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)]
    variant_id: Id | None = None

    def wish(self) -> LineWish:
        """For the action."""
        return LineWish(self.product_id, self.quantity, self.variant_id)


Lines = Annotated[list[StorefrontLine], Field(min_length=1, max_length=MOST_LINES)]


class StorefrontOrderIn(Shape):
    """An order of the second storefront."""

    shop_id: Id
    customer_phone: Phone
    customer_name: Name = ""
    delivery_method: Method
    items: Lines
    recipient_name: Name | None = None
    recipient_phone: Phone | None = None
    address: Address | None = None
    zone_id: Id | None = None
    delivery_window: StorefrontWindow | None = None
    delivery_time_text: Annotated[Words | None, Field(max_length=100)] = None
    payment_method: Payment = Order.PaymentMethod.KASPI
    card_text: Card | None = None
    comment: Annotated[str | None, Field(max_length=500)] = None
    is_anonymous: bool = False

    def draft(self, shop: Shop) -> OrderDraft:
        """Everything but prices."""
        given = self.model_dump(exclude={"shop_id", "items", "delivery_window", "delivery_time_text"})
        raw = self.delivery_window.model_dump(by_alias=True) if self.delivery_window else None
        window = windows.read(raw, shop)
        return OrderDraft(
            **given,
            items=tuple(line.wish() for line in self.items),
            window=_pair(window),
            delivery_time_text=windows.words_of(raw, window, self.delivery_time_text),
        )


class ShopFormIn(Shape):
    """An order of the shop's own form."""

    customer_name: Annotated[Words, Field(min_length=1, max_length=100)]
    customer_phone: Annotated[str, Field(min_length=10, max_length=20), AfterValidator(str.strip)]
    delivery_type: Method
    payment_method: Annotated[Literal[Order.PaymentMethod.CASH, Order.PaymentMethod.KASPI], _word(PAYMENTS)]
    items: Lines
    delivery_address: Address | None = None
    delivery_date: Annotated[str | None, Field(max_length=40)] = None
    delivery_time: Annotated[str | None, Field(max_length=40)] = None
    recipient_name: Name | None = None
    recipient_phone: Phone | None = None
    card_text: Card | None = None
    special_requests: Annotated[str | None, Field(max_length=500)] = None
    zone_id: Id | None = None

    def draft(self, shop: Shop) -> OrderDraft:
        """A time without digits is a wish in words."""
        is_clock = any(map(str.isdigit, self.delivery_time or ""))
        raw = {"date": self.delivery_date, "time": self.delivery_time if is_clock else None}
        window = windows.read(raw, shop)
        return OrderDraft(
            customer_name=self.customer_name,
            customer_phone=self.customer_phone,
            delivery_method=self.delivery_type,
            payment_method=self.payment_method,
            items=tuple(line.wish() for line in self.items),
            address=self.delivery_address,
            window=_pair(window),
            delivery_time_text=windows.words_of(raw, window, None if is_clock else self.delivery_time),
            recipient_name=self.recipient_name,
            recipient_phone=self.recipient_phone,
            card_text=self.card_text,
            comment=self.special_requests,
            zone_id=self.zone_id,
        )


def _pair(found: Window | None) -> tuple[datetime, datetime] | None:
    return (found.starts, found.ends) if found else None


class PublicShopCard(Shape):
    """ShopPub (contract 1.0)."""

    id: int
    name: str
    phone: str
    whatsapp_number: str | None
    address: str | None
    city: str
    description: str | None
    business_hours: Any
    shop_logo_url: str | None


class PublicImage(Shape):
    """A picture of a product."""

    id: int
    product_id: int
    image_url: str
    is_primary: bool
    sort_order: int
    created_at: datetime


class PublicVariant(Shape):
    """A size with its price (contract 3.19)."""

    id: int
    name: str
    price: float
    is_default: bool


class PublicProduct(Shape):
    """ProductPub (contract 1.0) and the sizes that can be ordered."""

    id: int
    name: str
    category: str
    description: str | None
    image_url: str | None
    retail_price: float
    sale_price: float | None
    is_active: bool
    is_popular: bool
    is_new: bool
    images: list[PublicImage]
    variants: list[PublicVariant]


class PublicProductPage(Shape):
    """A page of products."""

    items: list[PublicProduct]
    total: int


class ShortProduct(Shape):
    """A product in few words."""

    id: int
    name: str
    description: str | None
    price: int
    category: str | None
    image_url: str | None
    in_stock: bool
    shop_id: int


class ShortProductPage(Shape):
    """A page of them."""

    products: list[ShortProduct]
    total: int
    shop_id: int


class PublicCategory(Shape):
    """A category that has something on sale."""

    name: str
    count: int
    display_name: str


class PublicCategoryList(Shape):
    """All of them."""

    categories: list[PublicCategory]
    total: int


class PlacedOrder(OrderOut):
    """OrderOut with its lines."""

    items: list[OrderItemOut]


class PlacedOut(Shape):
    """What the shop's own form is told."""

    id: int
    tracking_token: str
    status: str
    customer_name: str
    customer_phone: str
    total_amount: float
    created_at: datetime
    message: str


ORDER_REFUSALS = (
    *(errors.ShopNotFound, errors.ProductNotFound, errors.VariantNotFound, errors.ProductNotForSale),
    *(errors.ZoneNotFound, errors.WindowNotOffered, errors.OrderTooSmall, errors.StockShort),
    *(KeyReused, TooMany, Invalid),
)


class OneShop(PublicView):
    """A shop."""

    @endpoint(
        summary="Show a shop to strangers",
        path=ShopPath,
        answers={200: PublicShopCard},
        refusals=[errors.ShopNotFound, TooMany],
    )
    def get(self, request: Any, *, shop_id: int) -> Any:
        """404 for a closed one."""
        return storefront.card(storefront.shop(shop_id))


class Products(PublicView):
    """What is on sale."""

    @endpoint(
        summary="List products for strangers",
        query=ProductsQuery,
        answers={200: PublicProductPage},
        refusals=[errors.ShopNotFound, TooMany],
    )
    def get(self, request: Any, *, query: ProductsQuery) -> Any:
        """Newest first; no cost prices."""
        wanted = Wanted(**query.model_dump(exclude={"shop_id"}))
        return self.wire.paged(*storefront.products(storefront.shop(query.shop_id), wanted))


class ShopProducts(PublicView):
    """The same in few words."""

    @endpoint(
        summary="List products of a shop",
        path=ShopPath,
        query=ShortQuery,
        answers={200: ShortProductPage},
        refusals=[errors.ShopNotFound, TooMany],
    )
    def get(self, request: Any, *, shop_id: int, query: ShortQuery) -> Any:
        """`in_stock` says whether one can be made now of stems that nobody has reserved."""
        rows, total = storefront.short_products(storefront.shop(shop_id), Wanted(**query.model_dump()))
        return {"products": rows, "total": total, "shop_id": shop_id}


class Categories(PublicView):
    """What kinds there are."""

    @endpoint(
        summary="List categories of a shop",
        path=ShopPath,
        answers={200: PublicCategoryList},
        refusals=[errors.ShopNotFound, TooMany],
    )
    def get(self, request: Any, *, shop_id: int) -> Any:
        """None for a shop without products."""
        rows = storefront.categories(storefront.shop(shop_id))
        return {"categories": rows, "total": len(rows)}


def key_of(request: Any) -> str:
    """The caller's key, cut to our column by hashing. Raises `KeyTooLong`."""
    given = next((request.headers[name] for name in KEY_HEADERS if request.headers.get(name)), "")
    ensure_key(given)
    return hashlib.sha256(f"web:{given}".encode()).hexdigest() if given else ""


def place(request: Any, shop_id: int, body: StorefrontOrderIn | ShopFormIn) -> Order:
    """The one way in for strangers: the shop's prices, zones and stock decide. Raises what `orders.create` raises."""
    shop = storefront.shop(shop_id)
    made = orders.create(by=None, shop=shop, draft=body.draft(shop), source=STOREFRONT, key=key_of(request))
    return Order.objects.get(pk=made.pk)  # as it is kept: times in UTC


class ShopOrders(PublicView):
    """Orders of the shop's own form."""

    @endpoint(
        summary="Order from a shop",
        path=ShopPath,
        body=ShopFormIn,
        answers={200: PlacedOut},
        refusals=ORDER_REFUSALS,
    )
    def post(self, request: Any, *, shop_id: int, body: ShopFormIn) -> Any:
        """`Idempotency-Key` makes a repeat harmless; `total_amount` of the answer is what is to be paid."""
        order = place(request, shop_id, body)
        return {
            "id": order.pk,
            "tracking_token": order.tracking_token,
            "status": order.status,
            "customer_name": body.customer_name,
            "customer_phone": order.customer_phone,
            "total_amount": order.total,
            "created_at": order.created_at,
            "message": "Order created successfully",
        }


class PublicOrders(PublicView):
    """Orders of the second storefront."""

    @endpoint(
        summary="Order from the storefront",
        body=StorefrontOrderIn,
        answers={200: PlacedOrder},
        refusals=ORDER_REFUSALS,
    )
    def post(self, request: Any, *, body: StorefrontOrderIn) -> Any:
        """OrderOut with its lines; `Idempotency-Key` makes a repeat harmless."""
        order = place(request, body.shop_id, body)
        return {
            **order_questions.row(order),
            "items": [order_questions.item_out(item) for item in order.items.order_by("pk")],
        }


urlpatterns = [
    path(f"{root}/{route}", view, name=f"{'' if root == 'public' else 'api-'}{name}")
    for root in ROOTS
    for route, view, name in (
        ("products", Products, "public-products"),
        ("orders", PublicOrders, "public-orders"),
        ("shops/<str:shop_id>", OneShop, "public-shop"),
        ("shops/<str:shop_id>/products", ShopProducts, "public-shop-products"),
        ("shops/<str:shop_id>/categories", Categories, "public-shop-categories"),
        ("shops/<str:shop_id>/orders", ShopOrders, "public-shop-orders"),
    )
]
