"""The jobs of the restaurant's cashback, by noun."""

from apps.loyalty.tasks import announcements, iiko, menu

__all__ = ["announcements", "iiko", "menu"]
