"""Back office of payments."""

from apps.payments.admin import attempts, events, payments, refunds

__all__ = ["attempts", "events", "payments", "refunds"]
