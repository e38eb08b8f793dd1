"""The shop's jobs, by noun."""

from apps.shop.tasks import catalogue, orders, payments

__all__ = ["catalogue", "orders", "payments"]
