"""Tables of the shop, one module per noun."""

from apps.shop.models.cart import Cart, CartItem
from apps.shop.models.catalogue import Category, PriceChange, Slipper, SlipperImage
from apps.shop.models.customers import Customer
from apps.shop.models.orders import Order, OrderItem, OrderRequest

__all__ = [
    "Cart",
    "CartItem",
    "Category",
    "Customer",
    "Order",
    "OrderItem",
    "OrderRequest",
    "PriceChange",
    "Slipper",
    "SlipperImage",
]
