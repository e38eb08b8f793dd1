"""What the market does when something happened."""

from apps.urgent.handlers import orders, people, talk

__all__ = ["orders", "people", "talk"]
