"""Two rows, one human; and back again."""

import pytest

from apps.accounts import actions, errors, queries, tokens
from apps.accounts.events import MergeUndone, PersonsMerged
from apps.accounts.models import AuthLog, Merge, User
from apps.accounts.tests import cast
from apps.core import events
from apps.core.testing import assert_refused, outcomes, race

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch):
    facts = []
    monkeypatch.setattr(events, "publish", lambda *found: facts.extend(found))
    return facts


def merge(keep, gone, by=None):
    return actions.merge(by=by, keep=keep, gone=gone, reason="same person")


def undo(row, by=None):
    return actions.undo_merge(by=by, merge=row, reason="mistake")


def identifiers(user):
    user.refresh_from_db()
    return (user.phone, user.email, user.telegram_id, user.username)


def test_what_is_missing_moves_and_the_rest_still_leads_home(heard):
    keep = cast.aziza()
    gone = cast.dana(email="dana@mail.uz", telegram_id=777, can_message_bot=True, password=cast.PASSWORD)
    staff = cast.bobur("merge_user")
    row = merge(keep, gone, by=staff)
    assert identifiers(keep) == (cast.PHONE, "dana@mail.uz", 777, None)
    assert keep.can_message_bot is True
    assert identifiers(gone) == (cast.OTHER_PHONE, None, None, None)
    assert (gone.is_active, gone.merged_into, row.snapshot["moved"]) == (
        False,
        keep,
        {"email": "dana@mail.uz", "telegram_id": 777},
    )
    for found in ({"phone": cast.OTHER_PHONE}, {"phone": cast.PHONE}, {"email": "dana@mail.uz"}, {"pk": gone.pk}):
        assert queries.person(**found) == keep
    assert heard == [PersonsMerged(row.pk, keep.pk, gone.pk)]
    entry = AuthLog.objects.get(event="merged")
    assert (entry.user, entry.by, entry.reason) == (keep, staff, "same person")


def test_the_password_moves_when_there_was_none():
    keep, gone = cast.dana(), cast.aziza()
    row = merge(keep, gone)
    assert actions.log_in(identifier=cast.PHONE, password=cast.PASSWORD, figures=cast.LOGIN) == keep
    undo(row)
    keep.refresh_from_db()
    gone.refresh_from_db()
    assert (keep.has_usable_password(), gone.check_password(cast.PASSWORD)) == (False, True)


def test_tokens_of_the_merged_row_die():
    keep, gone = cast.aziza(), cast.dana()
    pair, own = tokens.issue(gone, "demo", "1"), tokens.issue(keep, "demo", "2")
    merge(keep, gone)
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))
    assert actions.rotate(own.refresh)


def test_undo_brings_everything_back(heard):
    keep, gone = cast.aziza(), cast.dana(email="dana@mail.uz", telegram_id=777, can_message_bot=True)
    before = (identifiers(keep), identifiers(gone))
    row = merge(keep, gone)
    back = undo(row)
    assert (identifiers(keep), identifiers(gone)) == before
    gone.refresh_from_db()
    assert (back, gone.is_active, gone.merged_into, gone.can_message_bot) == (gone, True, None, True)
    assert keep.can_message_bot is False
    row.refresh_from_db()
    assert (bool(row.undone_at), row.undo_reason) == (True, "mistake")
    assert heard[-1] == MergeUndone(row.pk, keep.pk, gone.pk)
    assert_refused(errors.CannotUndoMerge, lambda: undo(row), unchanged=[User.objects.all(), Merge.objects.all()])


def test_undone_people_may_be_merged_again():
    keep, gone = cast.aziza(), cast.dana()
    undo(merge(keep, gone))
    merge(keep, gone)
    assert Merge.objects.count() == 2


def test_what_was_changed_since_stays_with_the_kept_one():
    keep, gone = cast.aziza(), cast.dana(email="dana@mail.uz")
    row = merge(keep, gone)
    actions.set_identifier(user=keep, email="new@mail.uz")
    undo(row)
    assert (identifiers(keep)[1], identifiers(gone)[1]) == ("new@mail.uz", "dana@mail.uz")


def test_undo_is_refused_when_somebody_else_has_it_by_now():
    keep, gone = cast.aziza(), cast.dana(email="dana@mail.uz")
    row = merge(keep, gone)
    actions.set_identifier(user=keep, email="new@mail.uz")
    actions.register(email="dana@mail.uz")
    refusal = assert_refused(
        errors.CannotUndoMerge, lambda: undo(row), unchanged=[User.objects.all(), Merge.objects.all()]
    )
    assert refusal.status == 409


def test_undo_in_the_middle_of_a_chain_is_refused():
    first, second, third = cast.aziza(), cast.dana(), User.objects.create_user(username="third")
    inner = merge(second, third)
    outer = merge(first, second)
    assert queries.person(username="third") == first
    assert_refused(errors.CannotUndoMerge, lambda: undo(inner), unchanged=[User.objects.all()])
    undo(outer)
    undo(inner)
    assert queries.person(username="third") == third


def test_undo_after_erase_is_refused():
    keep, gone = cast.aziza(), cast.dana()
    row = merge(keep, gone)
    actions.erase(by=keep, user=keep)
    assert_refused(errors.CannotUndoMerge, lambda: undo(row))


@pytest.mark.parametrize("state", ["blocked", "erased", "merged", "same"])
def test_who_cannot_be_merged(state):
    keep, gone = cast.aziza(), cast.dana()
    if state == "blocked":
        actions.block(by=None, user=gone, reason="spam")
    elif state == "erased":
        actions.erase(by=gone, user=gone)
    elif state == "merged":
        merge(User.objects.create_user(username="other"), gone)
    target = keep if state == "same" else gone
    for pair in ((keep, target), (target, keep)):
        refusal = assert_refused(
            errors.CannotMerge, lambda p=pair: merge(*p), unchanged=[User.objects.all(), Merge.objects.all()]
        )
    assert refusal.status == 409


def test_strangers_and_staff_without_the_right_may_not():
    keep, gone = cast.aziza(), cast.dana()
    row = merge(keep, User.objects.create_user(username="third"))
    for by in (gone, cast.bobur("block_user")):
        unchanged = [User.objects.all(), Merge.objects.all()]
        assert_refused(errors.MayNotManage, lambda b=by: undo(row, b), unchanged=unchanged)
    assert_refused(errors.MayNotManage, lambda: merge(keep, gone, by=User.objects.get(username="bobur")))


def test_staff_do_not_take_over_a_superuser():
    chief, user, staff = cast.root(), cast.aziza(), cast.bobur("merge_user")
    for pair in ((chief, user), (user, chief)):
        assert_refused(errors.MayNotManage, lambda p=pair: merge(*p, by=staff), unchanged=[User.objects.all()])


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_crossing_merges_do_not_make_a_circle():
    first, second = cast.aziza(), cast.dana()
    results = race(8, lambda n: merge(first, second) if n % 2 else merge(second, first))
    assert outcomes(results) == {"ok": 1, "CannotMerge": 7}
    assert User.objects.filter(merged_into=None).count() == 1
