"""Money for texted codes: the cap, the success rate, the alarms."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts import errors, tasks
from apps.accounts.actions import spending
from apps.accounts.events import CodeSuccessFell, SmsCapReached
from apps.accounts.models import OneTimeCode, SmsSpend
from apps.accounts.tests import cast
from apps.accounts.tests.test_codes import ask, digits, prove
from apps.core import events
from apps.core.testing import assert_refused, outcomes, race
from apps.integrations.ports import SmsReceipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch):
    """Every fact that is published."""
    facts = []
    monkeypatch.setattr(events, "publish", lambda *found: facts.extend(found))
    return facts


def test_the_cap_stops_the_texts_and_rings_once(sms, settings, heard):
    settings.ACCOUNTS = cast.figures(sms_price=Decimal(10), sms_daily_spend_cap=Decimal(25))
    ask(phone="+998901110001")
    ask(phone="+79161234567")
    for phone in ("+998901110003", "+905001234567"):
        refusal = assert_refused(
            errors.SpendCapReached, lambda p=phone: ask(phone=p), unchanged=[OneTimeCode.objects.all()]
        )
    assert (refusal.status, len(sms.sent)) == (503, 2)
    assert 0 < refusal.retry_after <= 86_400
    total = SmsSpend.objects.get(prefix="*")
    assert (total.sent_count, total.cost, bool(total.alarmed_at)) == (2, 20, True)
    assert heard == [SmsCapReached(day=total.day.isoformat())]


def test_telegram_codes_pass_a_used_up_cap(sms, bot, settings):
    settings.ACCOUNTS = cast.figures(sms_price=Decimal(10), sms_daily_spend_cap=Decimal(5))
    cast.aziza(telegram_id=777, can_message_bot=True)
    assert ask().channel == "bot"


def test_no_cap_when_it_is_zero(sms, settings):
    settings.ACCOUNTS = cast.figures(sms_price=Decimal(10), sms_daily_spend_cap=Decimal(0))
    ask()
    assert len(sms.sent) == 1


def test_tomorrow_is_a_new_day(sms, settings):
    settings.ACCOUNTS = cast.figures(sms_price=Decimal(10), sms_daily_spend_cap=Decimal(10))
    ask()
    ask(phone=cast.OTHER_PHONE, now=timezone.now() + timedelta(days=1))
    assert len(sms.sent) == 2


def test_the_vendors_price_replaces_ours(sms, settings, monkeypatch):
    settings.ACCOUNTS = cast.figures(sms_price=Decimal(10))
    monkeypatch.setattr(sms, "send", lambda **_: SmsReceipt("x", Decimal("12.5")))
    ask()
    assert set(SmsSpend.objects.values_list("cost", flat=True)) == {Decimal("12.5")}


def test_a_typed_in_code_counts_as_success(sms):
    ask()
    prove(digits(sms.sent[0].text))
    assert set(SmsSpend.objects.values_list("prefix", "proved_count")) == {("*", 1), ("+998", 1)}
    assert SmsSpend.objects.get(prefix="*").success_percent == 100


def test_a_poor_prefix_rings_once(settings, heard):
    settings.ACCOUNTS = cast.figures(code_success_percent=30, code_success_sample=20)
    today = timezone.now().date()
    for prefix, sent, proved in (("+998", 20, 5), ("+7", 20, 6), ("+90", 19, 0), ("*", 59, 11)):
        SmsSpend.objects.create(day=today, prefix=prefix, sent_count=sent, proved_count=proved)
    assert spending.watch_success() == ["+998"]
    assert heard == [CodeSuccessFell(day=today.isoformat(), prefix="+998", sent_count=20, proved_count=5)]
    assert tasks.watch_code_success() == []
    assert [row.prefix for row in SmsSpend.objects.exclude(alarmed_at=None)] == ["+998"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_crowd_cannot_overrun_the_cap(sms, settings):
    settings.ACCOUNTS = cast.figures(sms_price=Decimal(10), sms_daily_spend_cap=Decimal(50))
    results = race(12, lambda number: ask(phone=f"+9989011100{number:02}"))
    assert outcomes(results) == {"ok": 5, "SpendCapReached": 7}
    assert (len(sms.sent), SmsSpend.objects.get(prefix="*").cost) == (5, 50)
