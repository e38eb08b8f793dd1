"""What this product does when something happened; one module per noun."""

from apps.florist.handlers import delivery, leaving, live, orders, payments, people, production, talk

__all__ = ["delivery", "leaving", "live", "orders", "payments", "people", "production", "talk"]
