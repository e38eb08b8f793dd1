"""The flower shops' back office, one module per noun."""

from apps.florist.admin import catalogue, customers, delivery, orders, people, production, shops, stock

__all__ = ["catalogue", "customers", "delivery", "orders", "people", "production", "shops", "stock"]
