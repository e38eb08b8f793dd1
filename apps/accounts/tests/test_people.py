"""Register, sign in, passwords, block, erase, roles."""

import time

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts import actions, errors, queries, tokens
from apps.accounts.actions import passwords
from apps.accounts.caller import Caller
from apps.accounts.events import PersonBlocked, PersonErased, PersonRegistered, PersonUnblocked
from apps.accounts.kit import LoginFigures
from apps.accounts.models import AuthLog, MailToken, OneTimeCode, Session, User
from apps.accounts.tests import cast
from apps.accounts.tests.test_codes import ask
from apps.core import events
from apps.core.testing import assert_refused, outcomes, race
from apps.core.throttle import Limit, Slowdown

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch):
    facts = []
    monkeypatch.setattr(events, "publish", lambda *found: facts.extend(found))
    return facts


def everything():
    return [User.objects.all(), AuthLog.objects.all(), Session.objects.all()]


def log_in(identifier, password=cast.PASSWORD, figures=cast.LOGIN, caller=cast.HOME):
    return actions.log_in(identifier=identifier, password=password, figures=figures, caller=caller)


# Registering


def test_a_person_registers(heard):
    user = actions.register(
        phone=cast.PHONE,
        email=" Aziza@Mail.UZ ",
        username="Aziza",
        password=cast.PASSWORD,
        first_name="A",
        caller=cast.HOME,
    )
    user.refresh_from_db()
    assert (user.phone, user.email, user.username, user.first_name) == (cast.PHONE, "aziza@mail.uz", "aziza", "A")
    assert user.check_password(cast.PASSWORD)
    assert heard == [PersonRegistered(person_id=user.pk, product="demo")]
    assert AuthLog.objects.get().event == "registered"


def test_the_language_that_an_app_tells():
    reader = actions.register(phone="+998901230077")
    actions.speak(user=reader, language="uz")
    reader.refresh_from_db()
    assert reader.language == "uz"
    with pytest.raises(ValueError, match="no language 'xx'"):
        actions.speak(user=reader, language="xx")


def test_without_a_password_none_works():
    user = actions.register(phone=cast.PHONE)
    assert not user.has_usable_password()
    assert_refused(errors.WrongCredentials, lambda: log_in(cast.PHONE, ""))


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"phone": cast.PHONE}, errors.PhoneTaken),
        ({"email": "AZIZA@mail.uz"}, errors.EmailTaken),
        ({"username": "AZIZA"}, errors.UsernameTaken),
        ({}, errors.NothingToKnowBy),
        ({"phone": "", "email": "  "}, errors.NothingToKnowBy),
        ({"username": "neu", "password": "short"}, errors.PasswordTooWeak),
        ({"username": "neu", "password": "password"}, errors.PasswordTooWeak),
        ({"username": "neu", "password": "x" * 129}, errors.PasswordTooWeak),
        ({"username": "neu", "password": "quiet\x00garden"}, errors.PasswordTooWeak),
    ],
)
def test_registering_is_refused(given, refusal, heard):
    cast.aziza(email="aziza@mail.uz", username="aziza")
    assert_refused(refusal, lambda: actions.register(**given), unchanged=everything())
    assert heard == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_ten_registrations_at_once_one_wins():
    results = race(10, lambda _: actions.register(phone=cast.PHONE))
    assert outcomes(results) == {"ok": 1, "PhoneTaken": 9}
    assert (User.objects.count(), AuthLog.objects.count()) == (1, 1)


def test_identifiers_change_hands_only_when_free():
    aziza, dana = cast.aziza(), cast.dana()
    assert_refused(
        errors.PhoneTaken, lambda: actions.set_identifier(user=dana, phone=cast.PHONE), unchanged=[User.objects.all()]
    )
    assert_refused(
        errors.NothingToKnowBy, lambda: actions.set_identifier(user=dana, phone=None), unchanged=[User.objects.all()]
    )
    actions.set_identifier(user=aziza, phone=None, email="A@b.uz")
    assert actions.set_identifier(user=dana, phone=cast.PHONE).phone == cast.PHONE
    aziza.refresh_from_db()
    assert (aziza.phone, aziza.email) == (None, "a@b.uz")


@pytest.mark.parametrize("given", [{"email": "Upper@Mail.uz"}, {"username": "Upper"}])
def test_the_database_keeps_lower_case(given):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(**given)


# Signing in


@pytest.mark.parametrize(
    "name", [cast.PHONE, "901234567", "+998 90 123-45-67", "aziza@mail.uz", "AZIZA@MAIL.UZ", "aziza", "Aziza "]
)
def test_sign_in_by_phone_mail_or_name(name):
    user = cast.aziza(email="aziza@mail.uz", username="aziza")
    assert log_in(name) == user
    user.refresh_from_db()
    assert user.last_login is not None
    assert AuthLog.objects.get().event == "logged_in"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (cast.PHONE, "wrong"),
        (cast.PHONE, ""),
        (cast.OTHER_PHONE, cast.PASSWORD),
        ("nobody", cast.PASSWORD),
        ("nobody@mail.uz", cast.PASSWORD),
        ("", cast.PASSWORD),
        ("a\x00b", cast.PASSWORD),
        ("+998901234567" * 30, cast.PASSWORD),
    ],
)
def test_unknown_and_wrong_sound_the_same(name, password):
    cast.aziza()
    refusal = assert_refused(errors.WrongCredentials, lambda: log_in(name, password), unchanged=[User.objects.all()])
    assert (refusal.status, refusal.code, str(refusal)) == (401, "wrong_credentials", "Incorrect credentials")
    entry = AuthLog.objects.get()
    assert (entry.event, entry.is_success, entry.product) == ("login_failed", False, "demo")
    assert cast.PHONE not in entry.identifier


def test_unknown_and_wrong_cost_one_hash_each(monkeypatch):
    cast.aziza()
    cast.dana()
    made, checked = [], []
    monkeypatch.setattr(passwords, "make_password", lambda guess: made.append(guess))
    monkeypatch.setattr(User, "check_password", lambda self, guess: checked.append(guess))
    for name in ("nobody", cast.OTHER_PHONE, cast.PHONE):
        assert_refused(errors.WrongCredentials, lambda n=name: log_in(n, "guess"))
    assert (made, checked) == (["guess", "guess"], ["guess"])


def test_a_blocked_person_learns_it_only_with_the_right_password():
    user = cast.aziza()
    actions.block(by=None, user=user, reason="spam")
    assert_refused(errors.WrongCredentials, lambda: log_in(cast.PHONE, "wrong"))
    assert assert_refused(errors.PersonBlocked, lambda: log_in(cast.PHONE)).status == 403


def test_wrong_tries_close_the_door_also_for_the_right_password():
    cast.aziza()
    figures = LoginFigures(by_identifier=Limit(3, 300))
    for _ in range(3):
        assert_refused(errors.WrongCredentials, lambda: log_in(cast.PHONE, "wrong", figures))
    refusal = assert_refused(errors.TooManyTries, lambda: log_in(cast.PHONE, figures=figures), unchanged=everything())
    assert refusal.status == 429
    assert 0 < refusal.retry_after <= 301
    assert log_in(cast.PHONE, figures=figures, caller=Caller(address="203.0.113.9", product="demo"))


def test_wrong_tries_close_the_door_for_an_address():
    figures = LoginFigures(by_address=Limit(2, 900))
    for name in ("one", "two"):
        assert_refused(errors.WrongCredentials, lambda n=name: log_in(n, "wrong", figures))
    assert_refused(errors.TooManyTries, lambda: log_in("three", "wrong", figures))


SLOW = LoginFigures(by_name=Slowdown(free=4, longest=60, seconds=3600))


def somewhere(number, product="demo"):
    return Caller(address=f"198.51.100.{number}", product=product)


def guess_from_everywhere(tries, name=cast.PHONE):
    """A wrong password from as many addresses, at one product after the other."""
    for number in range(tries):
        at = somewhere(number, ("demo", "shop")[number % 2])
        assert_refused(errors.WrongCredentials, lambda at=at: log_in(name, "wrong", SLOW, at))


def test_many_machines_guess_one_password_slowly():
    cast.aziza()
    guess_from_everywhere(5)
    for name in (cast.PHONE, "90 123 45 67"):
        refusal = assert_refused(
            errors.TooManyTries, lambda name=name: log_in(name, "wrong", SLOW, somewhere(9)), unchanged=everything()
        )
        assert (refusal.status, refusal.retry_after) == (429, 1)
    assert_refused(errors.WrongCredentials, lambda: log_in(cast.OTHER_PHONE, "wrong", SLOW, somewhere(9)))


def test_they_learn_nothing_about_who_is_here():
    guess_from_everywhere(5, "nobody")
    assert assert_refused(errors.TooManyTries, lambda: log_in("nobody", "x", SLOW, somewhere(9))).retry_after == 1


def test_the_owner_gets_in_at_home_whatever_they_do():
    user = cast.aziza()
    assert log_in(cast.PHONE, figures=SLOW, caller=somewhere(200)) == user
    guess_from_everywhere(5)
    assert_refused(errors.TooManyTries, lambda: log_in(cast.PHONE, figures=SLOW, caller=somewhere(201)))
    assert log_in(cast.PHONE, figures=SLOW, caller=somewhere(200)) == user
    assert log_in("998 90 123-45-67", figures=SLOW, caller=somewhere(200, "shop")) == user


def test_the_owner_gets_in_elsewhere_after_the_pause():
    user = cast.aziza()
    guess_from_everywhere(5)
    time.sleep(1.1)
    assert log_in(cast.PHONE, figures=SLOW, caller=somewhere(9)) == user
    assert log_in(cast.PHONE, figures=SLOW, caller=somewhere(9)) == user


def test_home_is_no_place_to_guess_from():
    cast.aziza()
    log_in(cast.PHONE, figures=SLOW, caller=somewhere(200))
    for _ in range(SLOW.by_identifier.count):
        assert_refused(errors.WrongCredentials, lambda: log_in(cast.PHONE, "wrong", SLOW, somewhere(200)))
    assert_refused(errors.TooManyTries, lambda: log_in(cast.PHONE, figures=SLOW, caller=somewhere(200)))


def test_right_passwords_bring_no_pause():
    user = cast.aziza()
    for number in range(8):
        assert log_in(cast.PHONE, figures=SLOW, caller=somewhere(number)) == user


def test_somebody_blocked_has_no_home():
    user = cast.aziza()
    actions.block(by=None, user=user, reason="spam")
    assert_refused(errors.PersonBlocked, lambda: log_in(cast.PHONE, figures=SLOW, caller=somewhere(200)))
    guess_from_everywhere(5)
    assert_refused(errors.TooManyTries, lambda: log_in(cast.PHONE, figures=SLOW, caller=somewhere(200)))


def test_successes_count_only_where_the_product_says_so():
    cast.aziza()
    free, strict = (
        LoginFigures(by_identifier=Limit(2, 300)),
        LoginFigures(by_identifier=Limit(2, 300), counts_successes=True),
    )
    for _ in range(4):
        log_in(cast.PHONE, figures=free)
    strict_caller = Caller(address="203.0.113.5", product="shop")
    for _ in range(2):
        log_in(cast.PHONE, figures=strict, caller=strict_caller)
    assert_refused(errors.TooManyTries, lambda: log_in(cast.PHONE, figures=strict, caller=strict_caller))


# Passwords


def test_a_changed_password_kills_older_tokens():
    user = cast.aziza()
    pair = tokens.issue(user, "demo", "1")
    actions.change_password(by=user, old=cast.PASSWORD, new="another-garden-43", caller=cast.HOME)
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))
    assert_refused(errors.WrongCredentials, lambda: log_in(cast.PHONE))
    fresh = tokens.issue(log_in(cast.PHONE, "another-garden-43"), "demo", "1")
    assert actions.rotate(fresh.refresh)


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [("wrong", "another-garden-43", errors.OldPasswordWrong), (cast.PASSWORD, "12345678", errors.PasswordTooWeak)],
)
def test_a_password_change_is_refused(old, new, refusal):
    user = cast.aziza()
    untouched = [User.objects.all(), Session.objects.all()]
    found = assert_refused(refusal, lambda: actions.change_password(by=user, old=old, new=new), unchanged=untouched)
    assert found.status in (400, 422)


def test_the_reason_for_a_weak_password_is_told():
    refusal = assert_refused(errors.PasswordTooWeak, lambda: actions.register(username="neu", password="short"))
    assert "at least 8 characters" in str(refusal)
    assert isinstance(refusal.__cause__, ValidationError)


# Shutting out and letting in


def test_block_and_unblock(heard):
    staff, user = cast.bobur("block_user"), cast.aziza()
    pair = tokens.issue(user, "demo", "1")
    blocked = actions.block(by=staff, user=user, reason="spam")
    assert (blocked.is_active, blocked.block_reason, bool(blocked.blocked_at)) == (False, "spam", True)
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))
    actions.block(by=staff, user=user, reason="again")
    opened = actions.unblock(by=staff, user=user, reason="sorry")
    actions.unblock(by=staff, user=user, reason="sorry")
    assert (opened.is_active, opened.blocked_at, opened.block_reason) == (True, None, "")
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))
    assert heard == [PersonBlocked(user.pk, staff.pk), PersonUnblocked(user.pk, staff.pk)]
    assert list(AuthLog.objects.order_by("id").values_list("event", "by", "reason")) == [
        ("blocked", staff.pk, "spam"),
        ("unblocked", staff.pk, "sorry"),
    ]


DEEDS = {
    "block": lambda by, user: actions.block(by=by, user=user, reason="x"),
    "unblock": lambda by, user: actions.unblock(by=by, user=user, reason="x"),
    "erase": lambda by, user: actions.erase(by=by, user=user),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_strangers_and_staff_without_the_right_may_not(deed):
    user, dana, staff = cast.aziza(), cast.dana(), cast.bobur()
    for by in (dana, staff):
        refusal = assert_refused(errors.MayNotManage, lambda b=by: DEEDS[deed](b, user), unchanged=everything())
    assert refusal.status == 403


@pytest.mark.parametrize("deed", DEEDS)
def test_staff_do_not_touch_staff(deed):
    staff, chief = cast.bobur("block_user", "erase_user"), cast.root()
    assert_refused(errors.MayNotManage, lambda: DEEDS[deed](staff, chief), unchanged=everything())
    DEEDS[deed](chief, staff)


@pytest.mark.parametrize("deed", ["block", "unblock"])
def test_nobody_shuts_himself_out(deed):
    chief = cast.root()
    assert_refused(errors.NotYourself, lambda: DEEDS[deed](chief, chief), unchanged=everything())


# Forgetting


def test_erase_frees_the_identifiers_and_keeps_the_row(heard, sms):
    user = cast.aziza(email="aziza@mail.uz", username="aziza", telegram_id=777, photo_url="https://t.me/a.svg")
    pair = tokens.issue(user, "demo", "1", caller=cast.HOME)
    ask()
    log_in("aziza")
    user.mail_tokens.create(kind="verify", email="a@b.uz", token_hash="x", expires_at=user.joined_at)
    actions.erase(by=user, user=user)
    user.refresh_from_db()
    assert (user.phone, user.email, user.username, user.telegram_id) == (None, None, None, None)
    assert (user.first_name, user.photo_url, user.is_active, bool(user.erased_at)) == ("", "", False, True)
    assert not user.has_usable_password()
    assert not OneTimeCode.objects.exists()
    assert not MailToken.objects.exists()
    assert not AuthLog.objects.exclude(identifier="").exists()
    assert not AuthLog.objects.exclude(address=None).exists()
    assert not Session.objects.exclude(address=None).exists()
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))
    assert heard[-1] == PersonErased(user.pk)
    assert actions.register(phone=cast.PHONE, email="aziza@mail.uz", username="aziza").pk != user.pk


def test_an_erased_person_cannot_be_erased_or_blocked():
    user, chief = cast.aziza(), cast.root()
    actions.erase(by=chief, user=user, reason="asked by letter")
    for deed in DEEDS.values():
        refusal = assert_refused(errors.PersonNotFound, lambda d=deed: d(chief, user), unchanged=everything())
        assert refusal.status == 404


def test_erase_takes_the_merged_rows_along():
    keep, gone = cast.aziza(), cast.dana(email="dana@mail.uz")
    merge = actions.merge(by=None, keep=keep, gone=gone, reason="same")
    actions.erase(by=keep, user=keep)
    gone.refresh_from_db()
    merge.refresh_from_db()
    assert (gone.phone, gone.first_name, bool(gone.erased_at), merge.snapshot) == (None, "", True, {})


# Looking up and roles


def test_nobody_hides_a_phone_behind_a_name():
    user = cast.aziza()
    cast.dana(username="901234567")
    assert queries.person_called("901234567") == user
    assert queries.person_called("aziza1234567") is None


def test_search_finds_by_anything():
    user = cast.aziza(email="aziza@mail.uz", telegram_id=777, telegram_username="aziza_t")
    cast.dana()
    for text in ("123456", "aziza@", "Aziz", "@aziza_t", "777"):
        assert list(queries.matching(text)) == [user]
    assert list(queries.matching("9" * 40)) == []


def test_roles_hold_exactly_their_rights():
    actions.ensure_roles({"Moderator": ["accounts.view_user", "accounts.block_user"]})
    actions.ensure_roles({"Moderator": ["accounts.view_user"]})
    assert list(Group.objects.get(name="Moderator").permissions.values_list("codename", flat=True)) == ["view_user"]


def test_a_role_with_an_unknown_right_is_refused_as_a_whole():
    with pytest.raises(LookupError, match="accounts.fly"):
        actions.ensure_roles({"Pilot": ["accounts.view_user"], "Bird": ["accounts.fly"]})
    assert not Group.objects.filter(name__in=("Pilot", "Bird")).exists()


def test_every_spelling_of_a_phone_counts_as_one_name():
    cast.aziza()
    figures = LoginFigures(by_identifier=Limit(2, 3600), by_address=Limit(0, 1))
    for spelling in ("+998901234567", "998 90 123 45 67"):
        assert_refused(errors.WrongCredentials, lambda name=spelling: log_in(name, "wrong", figures))
    for spelling in ("901234567", "+998 (90) 123-45-67", "00998901234567"):
        assert_refused(errors.TooManyTries, lambda name=spelling: log_in(name, cast.PASSWORD, figures))


def test_a_walk_through_ones_own_ipv6_network_gains_nothing():
    figures = LoginFigures(by_identifier=Limit(2, 3600))
    callers = [Caller(address=f"2001:db8::{number}", product="demo") for number in (1, 2, 3)]
    for caller in callers[:2]:
        assert_refused(errors.WrongCredentials, lambda at=caller: log_in("nobody", "wrong", figures, at))
    assert_refused(errors.TooManyTries, lambda: log_in("nobody", "wrong", figures, callers[2]))
