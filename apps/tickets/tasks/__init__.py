"""Celery shells: ids in, one action call. Celery looks for this module; importing the nouns registers their tasks."""

from apps.tickets.tasks import clocks, open311, photos

__all__ = ["clocks", "open311", "photos"]
