"""What a member wants to be told and where: lists, pause, e-mail address, browsers (contract urgent 3.6, roadmap)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.accounts import actions as accounts
from apps.core import events, texts, throttle
from apps.core.errors import Invalid
from apps.core.throttle import Limit
from apps.integrations.ports import port
from apps.notifications import actions as notifications
from apps.notifications.models import Device
from apps.urgent import errors
from apps.urgent.events import MailCodeWanted
from apps.urgent.models import MailBox, Member, Order, WantedCategory, WantedCity
from apps.urgent.queries import cities as towns

PRODUCT = "urgent"
MAIL_CODE_LIFETIME = timedelta(minutes=30)
MAIL_CODE_TRIES = 5
MAIL_CODES = Limit(5, 3600)
"""Codes sent per member and hour: an address is somebody's, and need not be the member's."""


def set_preferences(*, by: Member, categories: Sequence[str], cities: Sequence[str]) -> None:
    """Replace both lists; repeats are dropped, the order stays. Raises `UnknownCategory`, `UnknownCity`."""
    _ensure_known_categories(categories)
    _ensure_known_cities(cities)
    with transaction.atomic():
        Member.objects.select_for_update(of=("self",)).get(pk=by.pk)
        WantedCategory.objects.filter(member=by).delete()
        WantedCity.objects.filter(member=by).delete()
        WantedCategory.objects.bulk_create(
            WantedCategory(member=by, category=name) for name in dict.fromkeys(categories)
        )
        WantedCity.objects.bulk_create(WantedCity(member=by, city=name) for name in dict.fromkeys(cities))


def _ensure_known_categories(categories: Sequence[str]) -> None:
    wrong = [(place, name) for place, name in enumerate(categories) if name not in Order.Category.values]
    if wrong:
        raise errors.UnknownCategory([_field_error("categories", *item, "unknown category") for item in wrong])


def _ensure_known_cities(cities: Sequence[str]) -> None:
    wrong = towns.unknown(list(cities)) if settings.URGENT.only_known_cities else []
    if wrong:
        raise errors.UnknownCity([_field_error("cities", *item, "unknown city") for item in wrong])


def _field_error(field: str, place: int, given: str, words: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ["body", field, place], "msg": f"Value error, {words}", "input": given}


def set_notification_settings(*, by: Member, enabled: bool | None = None, frequency: int | None = None) -> None:
    """Change what is given: whether to be told at all, and the pause in minutes (5 to 15).

    Nothing given is no change.
    """
    changes: dict[str, Any] = {}
    if enabled is not None:
        changes["notifications_enabled"] = enabled
    if frequency is not None:
        changes["notification_frequency_minutes"] = frequency
    if enabled:  # who asks for messages means the bot; a refusal by Telegram takes it back
        accounts.can_be_messaged(telegram_id=by.pk, can=True)
    if changes:
        Member.objects.filter(pk=by.pk).update(**changes, updated_at=timezone.now())


def switch_off(*, user_id: int) -> None:
    """The bot was blocked: stop telling this person until he wants it again (contract urgent 4.3)."""
    Member.objects.filter(user_id=user_id).update(notifications_enabled=False, updated_at=timezone.now())


def set_mail_address(*, by: Member, address: str) -> MailBox:
    """Remember an unproved address and have a code sent to it. Raises `TooManyCodes`."""
    throttle.hit("urgent-mail-code", by.pk, MAIL_CODES, refusal=errors.TooManyCodes)
    with transaction.atomic():
        fresh = {
            "address": address.lower(),
            "code_hash": "",
            "tries_count": 0,
            "verified_at": None,
            "code_sent_at": timezone.now(),
        }
        box, _is_new = MailBox.objects.update_or_create(member=by, defaults=fresh)
        events.publish(MailCodeWanted(member_id=by.pk))
    return box


def send_mail_code(*, member_id: int) -> None:
    """Make a code, keep its hash, send it. A repeat sends a new code; only the last one is good.

    Raises the vendor's errors.
    """
    box = MailBox.objects.select_related("member__user").filter(member_id=member_id, verified_at=None).first()
    if box is None:
        return
    code = f"{secrets.randbelow(10**6):06d}"
    sent = {"code_hash": _hash(box, code), "code_sent_at": timezone.now(), "tries_count": 0}
    MailBox.objects.filter(pk=box.pk, address=box.address).update(**sent)
    with texts.speaking(texts.language_of(box.member.user)):
        subject = str(_("Your code for Mahalla"))
        text = str(_("Your code: {code}. It is good for {minutes} minutes."))
    minutes = int(MAIL_CODE_LIFETIME.total_seconds() // 60)
    port("mail").send(to=box.address, subject=subject, text=text.format(code=code, minutes=minutes))


def _hash(box: MailBox, code: str) -> str:
    return salted_hmac("urgent.mail", f"{box.member_id}|{box.address}|{code}", algorithm="sha256").hexdigest()


def prove_mail_address(*, by: Member, code: str, now: datetime | None = None) -> MailBox:
    """The member has read the letter. Five wrong tries burn the code.

    Raises `NoMailBox`, `WrongMailCode`, `accounts.EmailTaken`.
    """
    moment = now or timezone.now()
    with transaction.atomic():
        box = MailBox.objects.select_for_update(of=("self",)).filter(member=by).first()
        if box is None:
            raise errors.NoMailBox()
        is_open = box.code_hash and box.tries_count < MAIL_CODE_TRIES and moment < box.code_sent_at + MAIL_CODE_LIFETIME
        is_right = bool(is_open) and constant_time_compare(box.code_hash, _hash(box, code))
        box.tries_count += 1
        if is_right:
            accounts.set_identifier(user=by.user, email=box.address, email_verified_at=moment)
            box.verified_at, box.code_hash = moment, ""
        box.save(update_fields=["tries_count", "verified_at", "code_hash"])
    if not is_right:  # outside the transaction: the try that failed must stay counted
        raise errors.WrongMailCode()
    return box


def forget_mail_address(*, by: Member) -> None:
    """No more letters. Repeating changes nothing."""
    with transaction.atomic():
        box = MailBox.objects.filter(member=by).first()
        MailBox.objects.filter(member=by).delete()
        if box and box.verified_at and by.user.email == box.address:
            accounts.set_identifier(user=by.user, email=None, email_verified_at=None)


def add_browser(*, by: Member, endpoint: str, p256dh: str, auth: str) -> Device:
    """A browser of the member wants pushes. Repeating is free.

    Raises `PushNotConfigured`, `Invalid`.
    """
    if not settings.INTEGRATIONS.vapid_public_key:
        raise errors.PushNotConfigured()
    try:
        return notifications.register_device(
            user=by.user, product=PRODUCT, kind="web", token=endpoint, p256dh=p256dh, auth=auth, platform="web"
        )
    except notifications.BadDevice as problem:
        raise Invalid.field("endpoint", f"Value error, {problem.facts['reason']}", given=endpoint) from problem


def remove_browser(*, by: Member, endpoint: str) -> None:
    """The browser wants no more pushes. Repeating changes nothing."""
    notifications.forget_device(user=by.user, product=PRODUCT, token=endpoint)


def forget_everything(*, user_id: int) -> None:
    """The person was erased: lists and address go."""
    for model in (WantedCategory, WantedCity, MailBox):
        model.objects.filter(member__user_id=user_id).delete()
    Member.objects.filter(user_id=user_id).update(notifications_enabled=False)
