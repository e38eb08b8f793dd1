"""A worker is killed while it tells thousands: the next one goes on, nobody is missed or told twice (contract 3.10)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from apps.accounts.models import User
from apps.loyalty.models import Client
from apps.notifications import actions as notifications
from apps.notifications.models import Broadcast, Notification

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[3]
GUESTS = 10_000
WORKER = """
import django
django.setup()
from apps.loyalty.actions import announcements
announcements.announce(by=None, title="Holiday", description="Closed on Monday")
"""
"""Without a broker the telling follows the commit in the same process."""


def a_worker() -> subprocess.Popen[bytes]:
    """A process that does what the queue's worker does, on the test's own database and Redis."""
    known = settings.DATABASES["default"]
    who = f"{known['USER']}:{known['PASSWORD']}@" if known["USER"] else ""
    place = f"{known['HOST']}:{known['PORT'] or 5432}"
    own = {
        "TEST_DATABASE_URL": f"postgres://{who}{place}/{connection.settings_dict['NAME']}",
        "TEST_DATA_DIR": str(settings.DATA_DIR),
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
    }
    return subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env={**os.environ, **own})


def crowd(count: int) -> None:
    people = User.objects.bulk_create(User(phone=f"+99893{number:07d}") for number in range(count))
    Client.objects.bulk_create(Client(user=person, phone=person.phone) for person in people)


def test_nobody_is_missed_and_nobody_told_twice() -> None:
    crowd(GUESTS)
    worker, until = a_worker(), time.monotonic() + 60
    while not Notification.objects.exists():
        assert worker.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait(timeout=20)
    told = Notification.objects.count()
    assert 0 < told < GUESTS and told % 500 == 0
    while notifications.run_due(seconds=30):
        pass
    heard = Counter(Notification.objects.values_list("user_id", flat=True))
    assert (len(heard), set(heard.values())) == (GUESTS, {1})
    assert Broadcast.objects.get().status == "finished"
