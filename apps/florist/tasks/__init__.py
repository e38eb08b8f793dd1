"""Celery shells: ids in, one action call. Celery looks for this module; importing the nouns registers their tasks."""

from apps.florist.tasks import customers, orders, people, production, stock

__all__ = ["customers", "orders", "people", "production", "stock"]
