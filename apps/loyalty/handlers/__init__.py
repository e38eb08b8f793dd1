"""What the restaurant's cashback does when something happened."""

from apps.loyalty.handlers import files, iiko, messages, people

__all__ = ["files", "iiko", "messages", "people"]
