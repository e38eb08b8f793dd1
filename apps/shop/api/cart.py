"""The cart (contract shop 1.5). Every answer shows it as it is after the change."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.shop import errors
from apps.shop.actions import cart
from apps.shop.api.base import ShopView
from apps.shop.api.users import Id
from apps.shop.queries import cart as questions


class CartLine(Shape):
    """So many pieces of one product at today's price."""

    id: int
    slipper_id: int
    quantity: int
    name: str
    price: float
    total_price: float


class CartTotal(Shape):
    """`total_items` counts lines, `total_quantity` pieces."""

    total_items: int
    total_quantity: int
    total_amount: float


class FullCart(CartTotal):
    """The cart."""

    id: int
    items: list[CartLine]


class NewItem(Shape):
    """What to put in."""

    slipper_id: Id
    quantity: Annotated[int, Field(ge=1, le=cart.MOST_PIECES)] = 1


class Pieces(Shape):
    """How many there should be; 0 takes the line out."""

    quantity: Annotated[int, Field(ge=0, le=cart.MOST_PIECES)]


class ItemPath(Shape):
    """Which line."""

    item_id: Id


class CartView(ShopView):
    """Everybody has one cart."""

    tag = "cart"


class OwnCart(CartView):
    """The cart."""

    @endpoint(login="required", answers={200: FullCart}, summary="My cart")
    def get(self, request: Any) -> dict[str, Any]:
        """Made on first use."""
        return questions.shown(cart.of(request.member))


class Total(CartView):
    """The totals."""

    @endpoint(login="required", answers={200: CartTotal}, summary="Totals of my cart")
    def get(self, request: Any) -> dict[str, Any]:
        """Lines, pieces, money."""
        return questions.total(cart.of(request.member))


class Items(CartView):
    """Putting in."""

    @endpoint(
        body=NewItem,
        login="required",
        answers={200: FullCart},
        refusals=[errors.SlipperNotFound, errors.NotEnoughStock],
        summary="Put a product into my cart",
    )
    def post(self, request: Any, *, body: NewItem) -> dict[str, Any]:
        """The same product adds up."""
        return questions.shown(cart.add(by=request.member, slipper_id=body.slipper_id, quantity=body.quantity))


class OneItem(CartView):
    """A line."""

    @endpoint(
        path=ItemPath,
        body=Pieces,
        login="required",
        answers={200: FullCart},
        refusals=[errors.CartItemNotFound, errors.NotEnoughStock],
        summary="Change the pieces of a line",
    )
    def put(self, request: Any, *, item_id: int, body: Pieces) -> dict[str, Any]:
        """0 takes the line out."""
        return questions.shown(cart.set_quantity(by=request.member, item_id=item_id, quantity=body.quantity))

    @endpoint(
        path=ItemPath,
        login="required",
        answers={200: FullCart},
        refusals=[errors.CartItemNotFound],
        summary="Take a line out",
    )
    def delete(self, request: Any, *, item_id: int) -> dict[str, Any]:
        """Another's line does not exist."""
        return questions.shown(cart.remove(by=request.member, item_id=item_id))


class Clear(CartView):
    """Emptying."""

    @endpoint(login="required", answers={200: FullCart}, summary="Empty my cart")
    def delete(self, request: Any) -> dict[str, Any]:
        """All lines at once."""
        return questions.shown(cart.clear(by=request.member))


urlpatterns = [
    path("cart", OwnCart, name="cart"),
    path("cart/total", Total, name="cart-total"),
    path("cart/items", Items, name="cart-items"),
    path("cart/items/<str:item_id>", OneItem, name="cart-item"),
    path("cart/clear", Clear, name="cart-clear"),
]
