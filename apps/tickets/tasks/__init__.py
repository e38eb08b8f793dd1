"""Celery shells: ids in, one action call. Celery looks for this module; importing the nouns registers their tasks."""

from apps.tickets.tasks import clocks, photos

__all__ = ["clocks", "photos"]
