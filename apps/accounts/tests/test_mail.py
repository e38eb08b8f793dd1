"""Links by e-mail (contract tickets: verify-email, set-password, reset-password)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts import actions, errors, tokens
from apps.accounts.actions import Letter
from apps.accounts.models import AuthLog, MailToken, User
from apps.accounts.tests import cast
from apps.core.testing import assert_refused, outcomes, race
from apps.integrations.ports import VendorBusy, VendorUnsure

pytestmark = pytest.mark.django_db
LETTER = Letter("https://mahalla.example/go?token={token}", "Hello {name}", "{name}: {link}")
Kind = MailToken.Kind
NEW = "another-garden-43"


def send(mail, kind, user=None, **more):
    row = actions.send_mail_token(
        user=user or User.objects.get(first_name="Aziza"), kind=kind, letter=LETTER, caller=cast.HOME, **more
    )
    return row, mail.sent[-1].text.rpartition("token=")[2]


def test_the_letter_holds_the_link_and_the_row_only_a_hash(mail):
    cast.aziza(email="aziza@mail.uz")
    row, token = send(mail, Kind.VERIFY)
    [letter] = mail.sent
    assert (letter.to, letter.subject) == ("aziza@mail.uz", "Hello Aziza")
    assert len(token) == 43
    assert token not in str(MailToken.objects.values())
    assert row.expires_at - row.created_at == timedelta(hours=24)
    assert AuthLog.objects.get().identifier == "a***@mail.uz"


def test_a_new_address_is_proved_before_it_is_taken(mail):
    user = cast.aziza()
    _, token = send(mail, Kind.VERIFY, email="New@Mail.uz")
    assert User.objects.get().email is None
    verified = actions.verify_email(token)
    assert (verified.pk, verified.email, bool(verified.email_verified_at)) == (user.pk, "new@mail.uz", True)
    assert_refused(errors.MailTokenWrong, lambda: actions.verify_email(token), unchanged=[User.objects.all()])


def test_an_address_taken_meanwhile_is_refused_and_the_link_stays(mail):
    cast.aziza()
    _, token = send(mail, Kind.VERIFY, email="new@mail.uz")
    cast.dana(email="new@mail.uz")
    untouched = [User.objects.all(), MailToken.objects.all()]
    assert_refused(errors.EmailTaken, lambda: actions.verify_email(token), unchanged=untouched)


def test_a_forgotten_password_is_replaced_and_tokens_die(mail):
    user = cast.aziza(email="aziza@mail.uz")
    pair = tokens.issue(user, "demo", "1")
    row, token = send(mail, Kind.RESET)
    assert row.expires_at - row.created_at == timedelta(hours=1)
    actions.reset_password(token, new=NEW)
    assert actions.log_in(identifier="aziza@mail.uz", password=NEW, figures=cast.LOGIN) == user
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))


def test_an_invitation_sets_the_first_password(mail):
    user = cast.dana(email="dana@mail.uz")
    _, token = send(mail, Kind.INVITE, user)
    assert bool(actions.accept_invite(token, new=NEW).email_verified_at)
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_a_weak_password_leaves_the_link_good(mail):
    cast.aziza(email="aziza@mail.uz")
    _, token = send(mail, Kind.RESET)
    untouched = [User.objects.all(), MailToken.objects.all()]
    assert_refused(errors.PasswordTooWeak, lambda: actions.reset_password(token, new="short"), unchanged=untouched)
    actions.reset_password(token, new=NEW)


def test_a_newer_link_kills_the_older_of_its_kind(mail):
    cast.aziza(email="aziza@mail.uz")
    _, old = send(mail, Kind.RESET)
    _, verify = send(mail, Kind.VERIFY)
    _, new = send(mail, Kind.RESET)
    assert_refused(errors.MailTokenWrong, lambda: actions.reset_password(old, new=NEW))
    actions.reset_password(new, new=NEW)
    actions.verify_email(verify)


@pytest.mark.parametrize("token", ["", "nonsense", "ü" * 40, "\ud800"])
def test_unknown_links_are_refused(token):
    cast.aziza()
    refusal = assert_refused(errors.MailTokenWrong, lambda: actions.verify_email(token), unchanged=[User.objects.all()])
    assert refusal.status == 400


def test_a_link_serves_one_kind_only(mail):
    cast.aziza(email="aziza@mail.uz")
    _, token = send(mail, Kind.VERIFY)
    assert_refused(
        errors.MailTokenWrong, lambda: actions.reset_password(token, new=NEW), unchanged=[User.objects.all()]
    )


def test_an_old_link_says_so(mail):
    cast.aziza(email="aziza@mail.uz")
    row, token = send(mail, Kind.VERIFY)
    refusal = assert_refused(errors.MailTokenExpired, lambda: actions.verify_email(token, now=row.expires_at))
    assert refusal.status == 400


def test_a_letter_that_does_not_go_leaves_no_link(mail):
    cast.aziza(email="aziza@mail.uz")
    mail.fail_with(VendorBusy())
    refusal = assert_refused(errors.MailNotSent, lambda: send(mail, Kind.RESET), unchanged=[MailToken.objects.all()])
    assert refusal.status == 502


def test_an_unsure_letter_may_have_arrived(mail):
    user = cast.aziza(email="aziza@mail.uz")
    mail.fail_with(VendorUnsure())
    actions.send_mail_token(user=user, kind=Kind.RESET, letter=LETTER)
    assert MailToken.objects.filter(voided_at=None).count() == 1


def test_an_erased_person_has_no_links(mail):
    user = cast.aziza(email="aziza@mail.uz")
    _, token = send(mail, Kind.RESET)
    actions.erase(by=user, user=user)
    assert_refused(errors.MailTokenWrong, lambda: actions.reset_password(token, new=NEW))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_five_uses_at_once_one_wins(mail):
    cast.aziza(email="aziza@mail.uz")
    _, token = send(mail, Kind.RESET)
    results = race(5, lambda n: actions.reset_password(token, new=f"another-garden-{n}"))
    assert outcomes(results) == {"ok": 1, "MailTokenWrong": 4}
    assert timezone.now() > User.objects.get().tokens_valid_from


def test_a_product_with_addresses_of_its_own_uses_a_link_itself(mail):
    cast.aziza(email="aziza@mail.uz")
    row, token = send(mail, Kind.VERIFY)
    assert actions.use_mail_token(token, Kind.VERIFY).pk == row.pk
    assert User.objects.get().email_verified_at is None
    assert_refused(errors.MailTokenWrong, lambda: actions.use_mail_token(token, Kind.VERIFY))
