"""Celery shells: ids in, one action call. Celery looks for this module; importing the nouns registers their tasks."""

from apps.urgent.tasks import invoices, orders, talk

__all__ = ["invoices", "orders", "talk"]
