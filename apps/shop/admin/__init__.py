"""The shop's back office, one module per noun."""

from apps.shop.admin import catalogue, customers, orders

__all__ = ["catalogue", "customers", "orders"]
