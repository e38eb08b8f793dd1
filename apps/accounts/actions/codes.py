"""The one machine for one-time codes: made, sent, tried, used, burnt (design 3.8).

`check_code` counts a try in a transaction of its own and refuses to run inside another one: a rolled-back count would
give away endless guesses. `use_code` belongs into the transaction of what the code allows. `prove_code` does both.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from apps.accounts import errors, queries
from apps.accounts.actions import log, spending
from apps.accounts.caller import NOWHERE, Caller, address_or_none
from apps.accounts.kit import CodeFigures
from apps.accounts.models import AuthLog, OneTimeCode, User
from apps.core import texts, throttle
from apps.core.errors import Refused, TooMany
from apps.integrations.ports import SmsReport, VendorBusy, VendorRefused, VendorUnsure, port


def request_code(
    *,
    phone: str,
    purpose: str,
    figures: CodeFigures,
    caller: Caller = NOWHERE,
    language: str = "",
    now: datetime | None = None,
) -> OneTimeCode:
    """Send a new code to a phone (E.164): by bot to a person whom our bot reaches, by SMS otherwise. Older codes die.

    Raises `PrefixNotServed`, `CodeTooSoon`, `TooManyCodes`, `SpendCapReached`, and `CodeNotSent` after which
    nothing is stored.
    """
    now = now or timezone.now()
    purpose = f"{figures.product}:{purpose}"[:60]
    prefix = spending.prefix_of(phone)
    if phone not in figures.unlimited_phones:
        _ensure_in_time(phone, figures, now)
        _count(phone, figures, caller)
    digits = figures.fixed_code or "".join(secrets.choice("0123456789") for _ in range(figures.length))
    code = _store(phone, purpose, digits, figures, caller, now)
    person = queries.person(phone=phone)
    try:
        code.channel = _send(code, person, _words(digits, figures, person, language), prefix)
    except Exception:  # whatever went wrong, an unsent code must not stand in the way of the next try
        code.delete()
        raise
    code.save(update_fields=["channel", "vendor_id"])
    facts = {"code_id": code.pk, "purpose": purpose, "channel": code.channel}
    log.write(AuthLog.Event.CODE_REQUESTED, user=person, caller=_of(caller, figures), identifier=phone, facts=facts)
    return code


def _of(caller: Caller, figures: CodeFigures) -> Caller:
    return Caller(address=caller.address, user_agent=caller.user_agent, product=caller.product or figures.product)


def _of_product(phone: str, figures: CodeFigures) -> QuerySet[OneTimeCode]:
    """A phone's codes for all purposes of one product: whoever may choose the purpose wins no tries by choosing."""
    return OneTimeCode.objects.filter(phone=phone, purpose__startswith=f"{figures.product}:")


def _ensure_in_time(phone: str, figures: CodeFigures, now: datetime) -> None:
    """Not seconds after the last code, and not while the phone is locked by wrong tries."""
    codes = _of_product(phone, figures)
    last = codes.order_by("-id").first()
    if last is None:
        return
    if last.used_at is None and last.burnt_at is None:
        _refuse_until(last.created_at + timedelta(seconds=figures.resend_seconds), now, errors.CodeTooSoon)
    spent = codes.filter(tries__gte=F("max_tries")).aggregate(at=Max("burnt_at"))["at"]
    if spent:
        _refuse_until(spent + timedelta(seconds=figures.lock_seconds), now, errors.TooManyCodes)


def _refuse_until(moment: datetime, now: datetime, refusal: type[TooMany]) -> None:
    if moment > now:
        raise refusal(retry_after=int((moment - now).total_seconds()) + 1)


def count_request(*, phone: str, figures: CodeFigures, caller: Caller = NOWHERE) -> None:
    """Count a request that a product refuses before a code is made, so that its refusal is not told without limit.

    Raises `TooManyCodes`.
    """
    if phone not in figures.unlimited_phones:
        _count(phone, figures, caller)


def _count(phone: str, figures: CodeFigures, caller: Caller) -> None:
    if caller.address:
        throttle.hit(
            f"{figures.product}:code:address", caller.neighbourhood, figures.by_address, refusal=errors.TooManyCodes
        )
    throttle.hit(f"{figures.product}:code:phone", phone, figures.by_phone, refusal=errors.TooManyCodes)
    throttle.hit(f"{figures.product}:code:phone:long", phone, figures.by_phone_long, refusal=errors.TooManyCodes)


def _store(phone: str, purpose: str, digits: str, figures: CodeFigures, caller: Caller, now: datetime) -> OneTimeCode:
    """Replace the live code. Of two requests at once one meets the constraint "one live code" and is told to wait."""
    salt = secrets.token_hex(8)
    pause = 0 if phone in figures.unlimited_phones else figures.resend_seconds
    older = _of_product(phone, figures).filter(used_at=None, burnt_at=None)
    try:
        with transaction.atomic():
            older.filter(created_at__lte=now - timedelta(seconds=pause)).update(burnt_at=now)
            return OneTimeCode.objects.create(
                phone=phone,
                purpose=purpose,
                salt=salt,
                code_hash=_digest(salt, phone, purpose, digits),
                address=address_or_none(caller.address),
                max_tries=figures.tries,
                created_at=now,
                expires_at=now + timedelta(seconds=figures.life_seconds),
            )
    except IntegrityError as problem:
        raise errors.CodeTooSoon(retry_after=max(1, figures.resend_seconds)) from problem


def _digest(salt: str, phone: str, purpose: str, digits: str) -> str:
    """Keyed, because six digits behind a plain hash are found in a second by whoever copies the table."""
    key = f"one-time-code:{settings.SECRET_KEY}".encode()
    return hmac.new(key, f"{salt}|{phone}|{purpose}|{digits}".encode(), hashlib.sha256).hexdigest()


def _words(digits: str, figures: CodeFigures, person: User | None, language: str) -> str:
    with texts.speaking(person.language if person else language):
        minutes = max(1, figures.life_seconds // 60)
        return str(figures.text).format(brand=figures.brand, code=digits, minutes=minutes)


def _send(code: OneTimeCode, person: User | None, words: str, prefix: str) -> str:
    """Returns the channel that took the text."""
    if person is not None and person.is_reachable_by_bot and _sent_by_bot(person, words):
        return OneTimeCode.Channel.BOT
    day = code.created_at.date()
    spending.reserve(day=day, prefix=prefix)
    try:
        receipt = port("sms").send(to=code.phone, text=words, reference=f"code-{code.pk}")
    except (VendorBusy, VendorRefused) as problem:
        spending.give_back(day=day, prefix=prefix)
        raise errors.CodeNotSent() from problem
    except VendorUnsure:  # it may have arrived: the code stays good and the text stays counted
        return OneTimeCode.Channel.SMS
    code.vendor_id = receipt.vendor_id[:120]
    spending.settle(day=day, prefix=prefix, cost=receipt.cost)
    return OneTimeCode.Channel.SMS


def _sent_by_bot(person: User, words: str) -> bool:
    """Whether the bot took it; a person who blocked the bot is remembered and gets an SMS, as when Telegram is out."""
    assert person.telegram_id is not None
    try:
        port("bot").send_message(chat_id=person.telegram_id, text=words)
    except VendorRefused as refused:
        if refused.dead:
            User.objects.filter(pk=person.pk).update(can_message_bot=False)
        return False
    except (VendorBusy, VendorUnsure):
        return False
    return True


def note_report(*, report: SmsReport, now: datetime | None = None) -> bool:
    """The vendor tells what became of a text; late words and repeats change nothing. Returns whether it is ours."""
    ours = OneTimeCode.objects.filter(vendor_id=report.vendor_id)
    moved = ours.filter(progress__in=report.overtakes).update(progress=report.status, reported_at=now or timezone.now())
    return bool(moved) or ours.exists()


def prove_code(
    *, phone: str, purpose: str, code: str, figures: CodeFigures, caller: Caller = NOWHERE, now: datetime | None = None
) -> OneTimeCode:
    """`check_code` and `use_code` in one; for deeds that cannot fail afterwards. Raises what both raise."""
    return use_code(
        check_code(phone=phone, purpose=purpose, code=code, figures=figures, caller=caller, now=now), now=now
    )


def check_code(
    *, phone: str, purpose: str, code: str, figures: CodeFigures, caller: Caller = NOWHERE, now: datetime | None = None
) -> OneTimeCode:
    """Compare without using up. Call outside of any transaction (else `RuntimeError`).

    Every try is counted before the comparison, so that a hundred at once have five guesses together; a right one
    is given back.
    Raises `CodeWrong`, `CodeExpired`, `CodeBurnt`, `TooManyTries`.
    """
    now = now or timezone.now()
    purpose = f"{figures.product}:{purpose}"[:60]
    if caller.address:
        limit = figures.tries_by_address
        throttle.hit(f"{figures.product}:code:try", caller.neighbourhood, limit, refusal=errors.TooManyTries)
    with transaction.atomic(durable=True):
        row = _of_product(phone, figures).order_by("-id").first()
        if row is not None and row.purpose != purpose:
            row = None
        refusal = _reserve_try(row, now)
        if refusal is None and row is not None and _is_right(row, code):
            OneTimeCode.objects.filter(pk=row.pk).update(tries=F("tries") - 1)
            return row
        if refusal is None and row is not None:
            refusal = _burn_when_spent(row, now)
        facts = {"purpose": purpose}
        log.write(
            AuthLog.Event.CODE_WRONG, caller=_of(caller, figures), identifier=phone, is_success=False, facts=facts
        )
    raise refusal or errors.CodeWrong()


def _reserve_try(row: OneTimeCode | None, now: datetime) -> Refused | None:
    """Take one of the tries that are left, or say why there is none."""
    if row is None or row.used_at:
        return errors.CodeWrong()
    if row.burnt_at:
        return errors.CodeBurnt() if row.tries >= row.max_tries else errors.CodeWrong()
    if row.expires_at <= now:
        return errors.CodeExpired()
    live = OneTimeCode.objects.filter(pk=row.pk, used_at=None, burnt_at=None, tries__lt=F("max_tries"))
    if live.update(tries=F("tries") + 1):
        return None
    was_used = OneTimeCode.objects.filter(pk=row.pk, used_at__isnull=False).exists()
    return errors.CodeWrong() if was_used else errors.CodeBurnt()


def _is_right(row: OneTimeCode, code: str) -> bool:
    given = _digest(row.salt, row.phone, row.purpose, code.strip())
    return hmac.compare_digest(given, row.code_hash)


def _burn_when_spent(row: OneTimeCode, now: datetime) -> Refused:
    spent = OneTimeCode.objects.filter(pk=row.pk, burnt_at=None, tries__gte=F("max_tries")).update(burnt_at=now)
    return errors.CodeBurnt() if spent else errors.CodeWrong()


def use_code(code: OneTimeCode, *, now: datetime | None = None) -> OneTimeCode:
    """Use up a checked code, inside the transaction of what it allows. Of two at once the second gets `CodeWrong`."""
    now = now or timezone.now()
    with transaction.atomic():
        if not OneTimeCode.objects.filter(pk=code.pk, used_at=None, burnt_at=None, expires_at__gt=now).update(
            used_at=now
        ):
            raise errors.CodeWrong()
        code.used_at = now
        if code.channel == OneTimeCode.Channel.SMS:
            spending.note_success(day=code.created_at.date(), prefix=spending.prefix_of(code.phone))
        person = queries.person(phone=code.phone)
        caller = Caller(address=code.address or "", product=code.purpose.partition(":")[0])
        log.write(
            AuthLog.Event.CODE_PROVED,
            user=person,
            caller=caller,
            identifier=code.phone,
            facts={"purpose": code.purpose},
        )
    return code
