"""First sight, change, block, and the header that proves it (contract urgent 1.0, 4.1)."""

import time

import pytest
from django.conf import settings as django_settings
from rest_framework.test import APIRequestFactory

from apps.accounts import actions, errors
from apps.accounts.authentication import InitDataAuthentication
from apps.accounts.models import User
from apps.accounts.tests import cast
from apps.core.testing import assert_refused, outcomes, query_budget, race
from apps.integrations.telegram import sign_init_data

pytestmark = pytest.mark.django_db


def header(**more):
    who = {"id": 777, "first_name": "Aziza", "username": "aziza_t", "language_code": "uz"} | more
    return sign_init_data(django_settings.INTEGRATIONS.telegram_bot_token, who, int(time.time()))


def call(authorization=None):
    more = {"HTTP_AUTHORIZATION": authorization} if authorization is not None else {}
    return InitDataAuthentication().authenticate(APIRequestFactory().get("/", **more))


def test_the_first_request_makes_the_person():
    user, proof = call(f"Bearer {header(last_name='K', photo_url='https://t.me/a.svg', allows_write_to_pm=True)}")
    user.refresh_from_db()
    assert (user.telegram_id, user.first_name, user.last_name, user.language) == (777, "Aziza", "K", "uz")
    assert (user.telegram_username, user.photo_url, user.can_message_bot) == ("aziza_t", "https://t.me/a.svg", True)
    assert (user.username, user.phone, user.has_usable_password()) == (None, None, False)
    assert proof.id == 777


def test_a_known_unchanged_person_costs_one_query():
    first, _ = call(f"Bearer {header()}")
    with query_budget(1):
        again, _ = call(f"bEaReR {header()}")
    assert (again.pk, User.objects.count()) == (first.pk, 1)


def test_a_changed_profile_is_taken_over():
    call(f"Bearer {header(allows_write_to_pm=True)}")
    call(f"Bearer {header(first_name='Азиза', username='')}")
    user = User.objects.get()
    assert (user.first_name, user.telegram_username, user.can_message_bot) == ("Азиза", "", True)


def test_an_unknown_language_becomes_russian():
    call(f"Bearer {header(language_code='de')}")
    user = User.objects.get()
    assert (user.language, user.telegram_language) == ("ru", "de")


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer ", "Token abc", "Basic abc"])
def test_without_credentials_nobody_is_claimed(given):
    assert call(given) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("user=%7B%7D&auth_date=1", "Missing hash in initData"),
        ("user=%7B%7D&auth_date=1&hash=00", "Invalid hash - data integrity check failed"),
    ],
)
def test_a_bad_proof_is_refused_with_its_reason(raw, reason):
    refusal = assert_refused(errors.InitDataInvalid, lambda: call(f"Bearer {raw}"), unchanged=[User.objects.all()])
    assert (refusal.status, str(refusal)) == (401, f"Invalid Telegram initData: {reason}")


def test_a_blocked_person_stays_outside():
    user, _ = call(f"Bearer {header()}")
    actions.block(by=None, user=user, reason="spam")
    refusal = assert_refused(errors.PersonBlocked, lambda: call(f"Bearer {header()}"), unchanged=[User.objects.all()])
    assert refusal.status == 403


def test_an_erased_person_comes_back_as_a_new_one():
    first, _ = call(f"Bearer {header()}")
    actions.erase(by=first, user=first)
    second, _ = call(f"Bearer {header()}")
    assert second.pk != first.pk
    assert User.objects.filter(telegram_id=777).count() == 1


def test_a_merged_person_is_the_kept_one():
    keep, gone = cast.aziza(telegram_id=1), cast.dana(telegram_id=777)
    actions.merge(by=None, keep=keep, gone=gone, reason="same")
    user, _ = call(f"Bearer {header()}")
    assert user.pk == keep.pk


def test_the_bot_learns_who_may_be_written_to():
    user = actions.person_from_telegram(cast.profile())
    assert actions.can_be_messaged(telegram_id=777, can=True) is True
    user.refresh_from_db()
    assert user.is_reachable_by_bot
    assert actions.can_be_messaged(telegram_id=778, can=True) is False


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_first_requests_at_once_make_one_person():
    results = race(10, lambda _: actions.person_from_telegram(cast.profile()).pk)
    assert outcomes(results) == {"ok": 10}
    assert len(set(results)) == 1
    assert User.objects.count() == 1
