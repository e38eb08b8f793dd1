"""Fixtures of this app."""

from apps.notifications.tests.cast import office

__all__ = ["office"]
