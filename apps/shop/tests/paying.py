"""Orders that are paid, seen from all three sides: our clients, our tables, the bank."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.test import Client

from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.octo import Charge
from apps.integrations.sandbox.vendor import Notice
from apps.payments import queries as money
from apps.payments.models import Payment, PaymentEvent, Refund
from apps.shop.actions import placing
from apps.shop.actions.placing import Wish
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Cart, CartItem, Customer, Order, OrderItem, Slipper
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

CREATE, REFUND, NOTIFY = "payments/octo/create", "payments/octo/refund", "payments/octo/notify"


def ordered(buyer: Customer, *, price: str = "50000", pieces: int = 3, stock: int = 10) -> Order:
    """An unpaid order of `pieces` of a new product."""
    product = cast.slipper(price=price, quantity=stock)
    return placing.place(by=buyer, wishes=[Wish(product.pk, pieces)])


def begun(buyer: Customer, order: Order, **more: Any) -> Payment:
    """A payment that waits for the buyer on the bank's page."""
    answer = Caller(buyer).post(CREATE, {"order_id": order.pk, **more})
    assert answer.status_code == 200, answer.content
    return payment_of(order)


def paid(buyer: Customer, order: Order) -> Payment:
    """The order, paid and confirmed."""
    payment = begun(buyer, order)
    assert tell(vendors.octo.pay(payment.shop_transaction_id)).status_code == 200
    return fresh(payment)


def tell(notice: Notice, base: str = "/shop") -> HttpResponse:
    """Bring the bank's notice to the address of the original's clients."""
    answer: HttpResponse = Client().post(f"{base}/{NOTIFY}", notice.body, content_type="application/json")
    return answer


def charge_of(payment: Payment) -> Charge:
    """The same payment as the bank keeps it."""
    return vendors.octo.find(payment.shop_transaction_id)


def payment_of(order: Order) -> Payment:
    """The newest payment of an order."""
    found = money.of(PAYMENT_PURPOSE, str(order.pk)).first()
    assert found is not None
    return found


def fresh(row: Any) -> Any:
    """The row as it stands in the database."""
    return type(row).objects.get(pk=row.pk)


def may_ask_again() -> None:
    """The bank is asked once a second about a payment: let that second be over."""
    Payment.objects.update(checked_at=None)


def left(order: Order) -> int:
    """Pieces on the shelf of an order's first product."""
    line = order.items.select_related("slipper").order_by("id").first()
    assert line is not None and line.slipper is not None
    return line.slipper.quantity


def fill_cart(buyer: Customer, *lines: tuple[Slipper, int]) -> None:
    """Put goods into a cart, over HTTP."""
    for product, pieces in lines:
        answer = Caller(buyer).post("cart/items", {"slipper_id": product.pk, "quantity": pieces})
        assert answer.status_code == 200, answer.content


def cart_of(buyer: Customer) -> dict[int, int]:
    """Product → pieces."""
    return dict(CartItem.objects.filter(cart__customer=buyer).values_list("slipper_id", "quantity"))


def books() -> list[Any]:
    """Every row that money or an order could move, for refusals that must change nothing."""
    kinds = (Payment, Refund, PaymentEvent, Order, OrderItem, Slipper, Cart, CartItem)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]


def detail(answer: HttpResponse) -> tuple[int, Any]:
    """Status and `detail`."""
    return answer.status_code, json.loads(answer.content)["detail"]


def som(amount: str | int) -> Decimal:
    """So many soum."""
    return Decimal(amount)
