"""The code machine: sent, tried, burnt, used, limited (design 3.8, contracts loyalty 3.1, tickets 3, florist 3.3)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.accounts import actions, errors
from apps.accounts.caller import Caller
from apps.accounts.kit import CodeFigures
from apps.accounts.models import AuthLog, OneTimeCode, SmsSpend, User
from apps.accounts.tests import cast
from apps.core.testing import assert_refused, outcomes, race
from apps.core.throttle import Limit
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure

pytestmark = pytest.mark.django_db


def ask(figures=cast.CODES, phone=cast.PHONE, **more):
    return actions.request_code(**{"phone": phone, "purpose": "login", "figures": figures, "caller": cast.HOME} | more)


def prove(code, figures=cast.CODES, **more):
    where = {"phone": cast.PHONE, "purpose": "login", "code": code, "figures": figures, "caller": cast.HOME}
    return actions.prove_code(**where | more)


def digits(text):
    return re.search(r"\d{4,8}", text).group()


def wrong(right):
    return "000000" if right != "000000" else "111111"


def test_a_code_is_texted_and_only_its_hash_is_kept(sms):
    row = ask()
    [sent] = sms.sent
    code = digits(sent.text)
    assert (sent.to, len(code), row.channel, row.purpose) == (cast.PHONE, 6, "sms", "demo:login")
    assert code not in str(OneTimeCode.objects.values())
    assert row.expires_at - row.created_at == timedelta(seconds=300)
    entry = AuthLog.objects.get(event="code_requested")
    assert (entry.identifier, entry.product, entry.address) == ("+998*****4567", "demo", "203.0.113.5")
    assert code not in str(AuthLog.objects.values())


def test_length_and_life_come_from_the_product(sms):
    row = ask(CodeFigures(product="loyalty", brand="Cashback", length=4, life_seconds=120))
    assert re.fullmatch(r"Cashback: your code is \d{4}\. It is valid for 2 min\. Tell it to nobody\.", sms.sent[0].text)
    assert row.expires_at - row.created_at == timedelta(seconds=120)


def test_a_fixed_code_is_sent_as_it_is(sms):
    ask(CodeFigures(product="demo", fixed_code="1111"))
    assert prove("1111").used_at


def test_the_right_code_works_once(sms):
    ask()
    code = digits(sms.sent[0].text)
    used = prove(code)
    assert used.state == "used"
    assert OneTimeCode.objects.get().tries == 0
    assert_refused(errors.CodeWrong, lambda: prove(code), unchanged=[OneTimeCode.objects.all()])
    assert AuthLog.objects.filter(event="code_proved").count() == 1


def test_checking_does_not_use_up(sms):
    ask()
    code = digits(sms.sent[0].text)
    where = {"phone": cast.PHONE, "purpose": "login", "code": code, "figures": cast.CODES}
    for _ in range(7):
        checked = actions.check_code(**where)
    assert OneTimeCode.objects.get().state == "live"
    assert actions.use_code(checked).state == "used"
    assert_refused(errors.CodeWrong, lambda: actions.use_code(checked), unchanged=[OneTimeCode.objects.all()])


def test_a_rolled_back_deed_leaves_the_code_unused(sms):
    """Contract loyalty 3.7: an unknown referral code answers 404 and the code stays good."""
    ask()
    code = digits(sms.sent[0].text)
    checked = actions.check_code(phone=cast.PHONE, purpose="login", code=code, figures=cast.CODES)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        actions.use_code(checked)
        raise ZeroDivisionError
    assert prove(code).state == "used"


@pytest.mark.django_db(transaction=True)
def test_tries_are_never_counted_inside_a_transaction_that_may_roll_back(sms):
    ask()
    with pytest.raises(RuntimeError), transaction.atomic():
        prove("000000")


def test_five_wrong_tries_burn_the_code(sms):
    ask()
    code = digits(sms.sent[0].text)
    for tries in range(1, 5):
        assert_refused(errors.CodeWrong, lambda: prove(wrong(code)))
        assert OneTimeCode.objects.get().tries == tries
    assert_refused(errors.CodeBurnt, lambda: prove(wrong(code)))
    row = OneTimeCode.objects.get()
    assert (row.state, row.tries) == ("burnt", 5)
    refusal = assert_refused(errors.CodeBurnt, lambda: prove(code), unchanged=[OneTimeCode.objects.all()])
    assert (refusal.status, refusal.code) == (400, "code_burnt")
    assert AuthLog.objects.filter(event="code_wrong", is_success=False).count() == 6


def test_three_tries_where_the_product_says_three(sms):
    figures = CodeFigures(product="florist", tries=3)
    ask(figures)
    code = digits(sms.sent[0].text)
    for refusal in (errors.CodeWrong, errors.CodeWrong, errors.CodeBurnt, errors.CodeBurnt):
        assert_refused(refusal, lambda: prove(wrong(code), figures))


def test_an_expired_code_says_so(sms):
    row = ask()
    code = digits(sms.sent[0].text)
    late = row.expires_at
    assert_refused(errors.CodeExpired, lambda: prove(code, now=late))
    assert OneTimeCode.objects.get().used_at is None
    assert prove(code, now=late - timedelta(seconds=1)).used_at


def test_no_code_and_wrong_code_sound_the_same(sms):
    nobody = assert_refused(errors.CodeWrong, lambda: prove("123456"))
    ask()
    somebody = assert_refused(errors.CodeWrong, lambda: prove(wrong(digits(sms.sent[0].text))))
    assert (
        (nobody.status, nobody.code, str(nobody))
        == (somebody.status, somebody.code, str(somebody))
        == (
            400,
            "code_wrong",
            "Invalid code",
        )
    )


def test_purpose_phone_and_product_must_match(sms):
    ask()
    code = digits(sms.sent[0].text)
    assert_refused(errors.CodeWrong, lambda: prove(code, purpose="register"))
    assert_refused(errors.CodeWrong, lambda: prove(code, phone=cast.OTHER_PHONE))
    assert_refused(errors.CodeWrong, lambda: prove(code, CodeFigures(product="other")))
    assert prove(code).used_at


def test_a_newer_code_kills_the_older(sms):
    first = ask()
    ask()
    old, new = (digits(sent.text) for sent in sms.sent)
    first.refresh_from_db()
    assert first.state == "burnt"
    if old != new:
        assert_refused(errors.CodeWrong, lambda: prove(old))
    assert prove(new).used_at


def test_asking_again_within_the_pause_is_refused(sms):
    figures = CodeFigures(product="demo", resend_seconds=60)
    row = ask(figures)
    at = row.created_at + timedelta(seconds=20)
    everything = [OneTimeCode.objects.all(), AuthLog.objects.all(), SmsSpend.objects.all()]
    refusal = assert_refused(errors.CodeTooSoon, lambda: ask(figures, now=at), unchanged=everything)
    assert (refusal.status, refusal.retry_after, len(sms.sent)) == (429, 41, 1)
    ask(figures, now=row.created_at + timedelta(seconds=60))
    assert len(sms.sent) == 2


def test_too_many_codes_for_one_phone(sms):
    figures = CodeFigures(product="demo", resend_seconds=0, by_phone=Limit(3, 900))
    for _ in range(3):
        ask(figures)
    refusal = assert_refused(errors.TooManyCodes, lambda: ask(figures), unchanged=[OneTimeCode.objects.all()])
    assert refusal.status == 429
    assert 0 < refusal.retry_after <= 901
    assert len(sms.sent) == 3
    ask(figures, phone=cast.OTHER_PHONE)


def test_too_many_codes_from_one_address(sms):
    figures = CodeFigures(product="demo", by_address=Limit(2, 900))
    ask(figures, phone="+998901110001")
    ask(figures, phone="+998901110002")
    assert_refused(errors.TooManyCodes, lambda: ask(figures, phone="+998901110003"))
    ask(figures, phone="+998901110003", caller=Caller(address="203.0.113.6"))
    assert len(sms.sent) == 3


def test_products_count_apart(sms):
    for product in ("loyalty", "tickets"):
        ask(CodeFigures(product=product, by_phone=Limit(1, 900)))
    assert len(sms.sent) == 2


def test_named_phones_are_free_of_limits(sms):
    figures = CodeFigures(product="demo", by_phone=Limit(1, 900), unlimited_phones=frozenset({cast.PHONE}))
    ask(figures)
    ask(figures)
    assert len(sms.sent) == 2


def test_a_burnt_code_locks_the_phone_for_a_while(sms):
    figures = CodeFigures(product="demo", tries=1, resend_seconds=0, lock_seconds=900)
    ask(figures)
    now = timezone.now()
    assert_refused(errors.CodeBurnt, lambda: prove(wrong(digits(sms.sent[0].text)), figures, now=now))
    refusal = assert_refused(errors.TooManyCodes, lambda: ask(figures, now=now + timedelta(seconds=1)))
    assert refusal.retry_after == 900
    ask(figures, now=now + timedelta(seconds=900))
    assert len(sms.sent) == 2


def test_another_purpose_does_not_open_a_locked_phone(sms):
    figures = CodeFigures(product="demo", tries=1, resend_seconds=0, lock_seconds=900)
    ask(figures)
    assert_refused(errors.CodeBurnt, lambda: prove(wrong(digits(sms.sent[0].text)), figures))
    for purpose in ("other", "login"):
        assert_refused(errors.TooManyCodes, lambda purpose=purpose: ask(figures, purpose=purpose))
    assert ask(CodeFigures(product="demo2", resend_seconds=0)).state == "live"


def test_a_lock_outlives_a_newer_code(sms):
    """A phone that is free of limits gets one; without its freedom the lock holds."""
    figures = CodeFigures(product="demo", tries=1, resend_seconds=0, lock_seconds=900)
    ask(figures)
    assert_refused(errors.CodeBurnt, lambda: prove(wrong(digits(sms.sent[0].text)), figures))
    ask(replace(figures, unlimited_phones=frozenset({cast.PHONE})))
    assert_refused(errors.TooManyCodes, lambda: ask(figures))


def test_the_pause_is_the_phones_whatever_the_purpose(sms):
    figures = CodeFigures(product="demo", resend_seconds=60)
    ask(figures)
    assert_refused(errors.CodeTooSoon, lambda: ask(figures, purpose="other"))
    assert len(sms.sent) == 1


def test_a_newer_code_for_another_purpose_kills_the_older(sms):
    first = ask()
    elsewhere = ask(CodeFigures(product="demo2"))
    second = ask(purpose="other")
    for row in (first, elsewhere, second):
        row.refresh_from_db()
    assert (first.state, elsewhere.state, second.state) == ("burnt", "live", "live")


def test_only_the_newest_code_of_a_product_can_be_tried(sms):
    """Two requests at the same moment may leave two that live; guesses at the older one are none."""
    first, second = ask(), ask(purpose="other")
    OneTimeCode.objects.filter(pk=first.pk).update(burnt_at=None)
    old, new = (digits(sent.text) for sent in sms.sent)
    assert_refused(errors.CodeWrong, lambda: prove(old), unchanged=[OneTimeCode.objects.all()])
    assert prove(new, purpose="other").pk == second.pk


def test_too_many_tries_from_one_address(sms):
    figures = CodeFigures(product="demo", tries_by_address=Limit(2, 900))
    ask(figures)
    for _ in range(2):
        assert_refused(errors.CodeWrong, lambda: prove("0000", figures))
    refusal = assert_refused(errors.TooManyTries, lambda: prove("0000", figures), unchanged=[OneTimeCode.objects.all()])
    assert refusal.status == 429


@pytest.mark.parametrize("phone", ["+12025550123", "+448001234567", "+8801712345678"])
def test_other_countries_get_no_code(sms, phone):
    refusal = assert_refused(
        errors.PrefixNotServed, lambda: ask(phone=phone), unchanged=[OneTimeCode.objects.all(), SmsSpend.objects.all()]
    )
    assert (refusal.status, sms.sent) == (422, [])


@pytest.mark.parametrize(
    ("phone", "prefix"), [("+79161234567", "+7"), ("+905001234567", "+90"), ("+998901234567", "+998")]
)
def test_served_countries_are_counted_apart(sms, phone, prefix):
    ask(phone=phone)
    assert set(SmsSpend.objects.values_list("prefix", "sent_count")) == {("*", 1), (prefix, 1)}


def test_a_linked_person_gets_the_code_by_bot(sms, bot):
    cast.aziza(telegram_id=777, can_message_bot=True)
    row = ask()
    [message] = bot.sent
    assert (message["chat_id"], row.channel, sms.sent) == (777, "bot", [])
    assert not SmsSpend.objects.exists()
    assert prove(digits(message["text"])).used_at


@pytest.mark.parametrize("link", [{"telegram_id": 777}, {"can_message_bot": True}])
def test_half_a_link_means_sms(sms, bot, link):
    cast.aziza(**link)
    assert (ask().channel, len(sms.sent), bot.sent) == ("sms", 1, [])


def test_a_blocked_bot_is_remembered_and_the_code_goes_by_sms(sms, bot):
    user = cast.aziza(telegram_id=777, can_message_bot=True)
    bot.vendor.blocked.add(777)
    assert (ask().channel, len(sms.sent)) == ("sms", 1)
    user.refresh_from_db()
    assert user.can_message_bot is False


@pytest.mark.parametrize("problem", [VendorBusy(), VendorUnsure(), VendorRefused("odd")])
def test_telegram_out_of_order_means_sms_this_time(sms, bot, monkeypatch, problem):
    def broken(**_):
        raise problem

    user = cast.aziza(telegram_id=777, can_message_bot=True)
    monkeypatch.setattr(bot, "send_message", broken)
    assert (ask().channel, len(sms.sent)) == ("sms", 1)
    user.refresh_from_db()
    assert user.can_message_bot is True


@pytest.mark.parametrize("problem", [VendorBusy(), VendorRefused("no money")])
def test_a_refused_text_leaves_nothing_behind(sms, problem):
    sms.fail_with(problem)
    refusal = assert_refused(errors.CodeNotSent, ask, unchanged=[OneTimeCode.objects.all(), AuthLog.objects.all()])
    assert refusal.status == 502
    assert set(SmsSpend.objects.values_list("sent_count", "cost")) == {(0, 0)}
    assert ask().state == "live"


def test_an_unsure_text_may_have_arrived(sms):
    sms.fail_with(VendorUnsure())
    assert ask().state == "live"
    assert SmsSpend.objects.get(prefix="*").sent_count == 1


def test_the_text_is_in_the_persons_language(sms):
    cast.aziza(language="ru")
    ask(CodeFigures(product="demo", text="{brand} {code} {minutes}"))
    assert re.fullmatch(r"Mahalla \d{6} 5", sms.sent[0].text)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_ten_proofs_at_once_one_wins(sms):
    ask()
    code = digits(sms.sent[0].text)
    results = race(10, lambda _: prove(code))
    assert outcomes(results) == {"ok": 1, "CodeWrong": 9}
    assert AuthLog.objects.filter(event="code_proved").count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_guesses_at_once_are_five_guesses(sms):
    ask()
    bad = wrong(digits(sms.sent[0].text))
    results = race(20, lambda _: prove(bad))
    assert outcomes(results) == {"CodeWrong": 4, "CodeBurnt": 16}
    row = OneTimeCode.objects.get()
    assert (row.tries, row.state) == (5, "burnt")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_ten_requests_at_once_one_code_lives(sms):
    figures = CodeFigures(product="demo", by_phone=Limit(100, 900))
    results = race(10, lambda _: ask(figures))
    assert outcomes(results)["ok"] == 1
    assert set(outcomes(results)) == {"ok", "CodeTooSoon"}
    assert (OneTimeCode.objects.filter(used_at=None, burnt_at=None).count(), len(sms.sent)) == (1, 1)


def test_nobody_is_made_by_asking_for_a_code(sms):
    ask()
    assert not User.objects.exists()
