"""The market in the back office, one module per noun."""

from apps.urgent.admin import cities, invoices, members, orders, reviews

__all__ = ["cities", "invoices", "members", "orders", "reviews"]
