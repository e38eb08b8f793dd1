"""What the shop does when something happened, by noun."""

from apps.shop.handlers import catalogue

__all__ = ["catalogue"]
