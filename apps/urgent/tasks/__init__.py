"""Celery shells: ids in, one action call. Celery looks for this module; importing the nouns registers their tasks."""

from apps.urgent.tasks import orders, talk

__all__ = ["orders", "talk"]
