"""What this product does when something happened."""

from apps.tickets.handlers import clocks, people, photos, talk

__all__ = ["clocks", "people", "photos", "talk"]
