"""The inbox: pages, counts, marks, and strangers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.testing import assert_refused, query_budget
from apps.notifications import actions, queries
from apps.notifications.models import Notification
from apps.notifications.tests.cast import PRODUCT, person

pytestmark = pytest.mark.django_db


def told(user, count=1, **fields):
    return [actions.tell(user=user, product=PRODUCT, kind="note", title=f"n{n}", **fields) for n in range(count)]


def test_newest_first_in_pages():
    aida = person()
    rows = [row.pk for row in told(aida, 5)]
    told(person("bek"))
    actions.tell(user=aida, product="other", kind="note", title="elsewhere")
    with query_budget(1):
        first = queries.inbox(user_id=aida.pk, product=PRODUCT, limit=2)
    second = queries.inbox(user_id=aida.pk, product=PRODUCT, limit=200, before_id=first[-1].pk)
    assert [row.pk for row in first] == [rows[4], rows[3]]
    assert [row.pk for row in second] == [rows[2], rows[1], rows[0]]
    page, total = queries.inbox_page(user_id=aida.pk, product=PRODUCT, page=2, page_size=2)
    assert ([row.pk for row in page], total) == ([rows[2], rows[1]], 5)


@pytest.mark.parametrize("limit", [0, -5, 10_000_000])
def test_a_page_is_bounded(limit):
    aida = person()
    told(aida, 3)
    assert len(queries.inbox(user_id=aida.pk, product=PRODUCT, limit=limit)) == (1 if limit < 1 else 3)


def test_what_is_not_for_the_inbox_is_not_in_it():
    aida = person()
    told(aida, 1, channels=("bot",))
    assert queries.inbox(user_id=aida.pk, product=PRODUCT) == []
    assert queries.unread_count(user_id=aida.pk, product=PRODUCT) == 0


def test_reading_is_idempotent_and_keeps_the_first_moment():
    aida = person()
    row = told(aida)[0]
    early, late = timezone.now(), timezone.now() + timedelta(hours=1)
    assert actions.mark_read(by=aida, notification_id=row.pk, product=PRODUCT, now=early).read_at == early
    assert actions.mark_read(by=aida, notification_id=str(row.public_id), product=PRODUCT, now=late).read_at == early
    assert queries.unread_count(user_id=aida.pk, product=PRODUCT) == 0


def test_all_read():
    aida, bek = person(), person("bek")
    told(aida, 3)
    told(bek, 2)
    assert actions.mark_all_read(by=aida, product=PRODUCT) == 3
    assert actions.mark_all_read(by=aida, product=PRODUCT) == 0
    assert queries.unread_count(user_id=bek.pk, product=PRODUCT) == 2


@pytest.mark.parametrize("deed", [actions.mark_read, actions.forget])
def test_a_stranger_finds_nothing_and_changes_nothing(deed):
    row = told(person())[0]
    dana = person("dana")
    for key in (row.pk, str(row.public_id), 10**9):
        refused = assert_refused(
            actions.NotificationNotFound,
            lambda key=key: deed(by=dana, notification_id=key, product=PRODUCT),
            unchanged=[Notification.objects.all()],
        )
        assert (refused.status, refused.code) == (404, "notification_not_found")


def test_ones_own_row_can_be_deleted():
    aida = person()
    keep, gone = told(aida, 2)
    actions.forget(by=aida, notification_id=str(gone.public_id), product=PRODUCT)
    assert [row.pk for row in queries.inbox(user_id=aida.pk, product=PRODUCT)] == [keep.pk]


def test_old_rows_are_pruned():
    aida = person()
    old, young = told(aida, 2)
    Notification.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=181))
    assert actions.prune() == 1
    assert list(Notification.objects.values_list("pk", flat=True)) == [young.pk]
