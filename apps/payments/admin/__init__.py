"""Back office of payments."""

from apps.payments.admin import events, payments, refunds

__all__ = ["events", "payments", "refunds"]
