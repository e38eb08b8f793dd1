"""What the shop does when something happened, by noun."""

from apps.shop.handlers import catalogue, orders, payments

__all__ = ["catalogue", "orders", "payments"]
