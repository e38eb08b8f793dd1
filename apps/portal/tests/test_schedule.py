"""The tables of `config/schedule.py` against the tasks there are."""

from celery import current_app
from django.conf import settings


def house_tasks():
    current_app.loader.import_default_modules()
    return {name for name in current_app.tasks if name.startswith("apps.")}


def test_every_task_waits_in_exactly_one_queue():
    assert set(settings.CELERY_TASK_ROUTES) == house_tasks()
    assert {row["queue"] for row in settings.CELERY_TASK_ROUTES.values()} <= {"money", "talk", "sync", "slow"}


def test_every_periodic_job_is_a_task_of_the_house():
    assert {row["task"] for row in settings.CELERY_BEAT_SCHEDULE.values()} <= house_tasks()
