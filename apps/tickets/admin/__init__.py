"""The city's back office, one module per noun."""

from apps.tickets.admin import city, escalations, members, teams, tickets

__all__ = ["city", "escalations", "members", "teams", "tickets"]
