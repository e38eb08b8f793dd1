"""The shop's jobs, by noun."""

from apps.shop.tasks import catalogue

__all__ = ["catalogue"]
