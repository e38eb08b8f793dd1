"""What the market does when something happened."""

from apps.urgent.handlers import money, orders, people, talk

__all__ = ["money", "orders", "people", "talk"]
