"""The market in the back office, one module per noun."""

from apps.urgent.admin import cities, members, orders, reviews

__all__ = ["cities", "members", "orders", "reviews"]
