"""The Celery app. Queues: money, talk, sync, slow; periods are in `config/schedule.py`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("mahalla")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
