"""The bot: proving a phone by a shared contact, opening a shop, a few commands (contract florist 3.17).

Answers go back in the webhook's own response, as Telegram allows: keyboards need no second call. Texts are plain, so
nothing in them has to be escaped.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.models import User
from apps.core import phones, texts
from apps.core.access import ensure
from apps.core.errors import Refused
from apps.core.models import WebhookReceipt
from apps.florist import errors
from apps.florist.actions import registration
from apps.florist.actions.registration import Application
from apps.florist.models import Employee, RegistrationSession
from apps.florist.queries import employees
from apps.integrations.ports import VendorError, port

log = logging.getLogger(__name__)

VENDOR = "telegram.florist"
CITIES = ("Алматы", "Астана", "Шымкент", "Другой")
SHORTEST_NAME, LONGEST_NAME = 2, 100

Update = Mapping[str, Any]
Answer = dict[str, Any]


def ensure_genuine(secret: str) -> None:
    """Raises `UpdateForged` without the secret that Telegram was given; without a configured one always."""
    expected = _secret()
    if not expected or not constant_time_compare(secret, expected):
        raise errors.UpdateForged()


def receive(*, update: Any, secret: str) -> Answer | None:
    """Take in one update and say what the bot answers; a repeat of an update changes nothing and gets no answer.

    Raises `UpdateForged`, `UpdateMalformed`.
    """
    ensure_genuine(secret)
    number = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise errors.UpdateMalformed()
    message = update.get("message")
    sender_id = _sender(message)
    if not isinstance(message, dict) or sender_id is None:
        return None
    try:
        with transaction.atomic():
            WebhookReceipt.objects.create(vendor=VENDOR, external_id=str(number), kind="message")
    except IntegrityError:
        return None
    with texts.speaking(_language(message)):
        return _answered(message, sender_id)


def _answered(message: Update, sender_id: int) -> Answer:
    try:
        with transaction.atomic():
            return _understand(message, sender_id)
    except Refused as refused:
        return _say(sender_id, refused.words)


def _understand(message: Update, sender_id: int) -> Answer:
    if isinstance(contact := message.get("contact"), dict):
        return _take_contact(contact, sender_id)
    words = str(message.get("text") or "").replace("\x00", "").strip()
    command = words.split()[0].split("@")[0] if words.startswith("/") else ""
    if command in COMMANDS:
        return COMMANDS[command](sender_id)
    if (session := _begun(sender_id)) is not None and words and not command:
        return _go_on(session, words, sender_id)
    return _help(sender_id)


def _take_contact(contact: Update, sender_id: int) -> Answer:
    """Only one's own contact proves a phone: a forwarded one is somebody else's (defect 5)."""
    if contact.get("user_id") != sender_id:
        return _ask_contact(sender_id, _("This is somebody else's contact. Please press the button and share yours."))
    phone = phones.normalise(str(contact.get("phone_number") or ""), "KZ")
    employee = employees.of_phone(phone)
    if employee is None:
        return _begin(phone, sender_id)
    link(user=employee.user, telegram_id=sender_id)
    return _shop_button(sender_id, _("Hello {name}! This Telegram is linked to {shop}.").format(**_names(employee)))


def link(*, user: User, telegram_id: int) -> None:
    """This Telegram account is this person: he shared his own contact. The link stays until he shares another.

    Somebody whom the house knows by this Telegram account alone is the same human. Raises `TelegramInUse` when the
    account belongs to somebody with another phone.
    """
    holder = people.person(telegram_id=telegram_id)
    if holder is not None and holder.pk != user.pk:
        if holder.phone or holder.is_staff or user.telegram_id:
            raise errors.TelegramInUse()
        accounts.merge(by=None, keep=user, gone=holder, reason="shared his contact with the florists' bot")
    else:
        accounts.set_identifier(user=user, telegram_id=telegram_id)
    accounts.can_be_messaged(telegram_id=telegram_id, can=True)
    Employee.objects.filter(user=user).update(telegram_id=telegram_id, updated_at=timezone.now())


def open_shop(application: Application, *, telegram_id: int, caller: Caller = NOWHERE) -> Employee:
    """A shop whose owner's phone the bot has proved, linked at once. Raises as `registration.open_shop` and `link`."""
    with transaction.atomic():
        employee = registration.open_shop(application, caller=caller)
        link(user=employee.user, telegram_id=telegram_id)
        return employee


# ── opening a shop, question by question ────────────────────────────────────────────────────────────────────────────
def _begin(phone: str, sender_id: int) -> Answer:
    until = timezone.now() + timedelta(minutes=settings.FLORIST.registration_minutes)
    RegistrationSession.objects.filter(telegram_id=sender_id, used_at=None).update(used_at=timezone.now())
    RegistrationSession.objects.create(id=uuid.uuid4(), phone=phone, telegram_id=sender_id, expires_at=until)
    return _say(sender_id, _("No shop has this phone yet. Let us open one: what is it called?"), REMOVE_KEYBOARD)


def _begun(sender_id: int) -> RegistrationSession | None:
    rows = RegistrationSession.objects.filter(telegram_id=sender_id, used_at=None, expires_at__gt=timezone.now())
    return rows.order_by("-expires_at").first()


def _go_on(session: RegistrationSession, words: str, sender_id: int) -> Answer:
    if not session.shop_name:
        return _take_name(session, words, sender_id)
    session.used_at = timezone.now()
    session.save(update_fields=["used_at"])
    application = Application(phone=session.phone, name=session.shop_name, city=words[:LONGEST_NAME])
    employee = open_shop(application, telegram_id=sender_id)
    return _shop_button(sender_id, _("{shop} is open. Welcome!").format(**_names(employee)), REMOVE_KEYBOARD)


def _take_name(session: RegistrationSession, words: str, sender_id: int) -> Answer:
    if not SHORTEST_NAME <= len(words) <= LONGEST_NAME:
        return _say(sender_id, _("A name has 2 to 100 letters. What is your shop called?"))
    session.shop_name = words
    session.save(update_fields=["shop_name"])
    keyboard = {"keyboard": [[{"text": city}] for city in CITIES], "one_time_keyboard": True, "resize_keyboard": True}
    return _say(sender_id, _("In which city?"), keyboard)


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────
REMOVE_KEYBOARD: Answer = {"remove_keyboard": True}


def _linked(sender_id: int) -> Employee | None:
    person = people.person(telegram_id=sender_id)
    return employees.of_person(person) if person else None


def _start(sender_id: int) -> Answer:
    accounts.can_be_messaged(telegram_id=sender_id, can=True)
    if (employee := _linked(sender_id)) is not None:
        return _shop_button(sender_id, _("Hello {name}! You work at {shop}.").format(**_names(employee)))
    return _ask_contact(sender_id, _("Welcome! Share your phone with the button below to sign in or to open a shop."))


def _help(sender_id: int) -> Answer:
    return _say(sender_id, _("/start – sign in\n/status – who I am here\n/shop – open the app\n/help – this list"))


def _status(sender_id: int) -> Answer:
    employee = _linked(sender_id)
    if employee is None:
        return _ask_contact(sender_id, _("This Telegram is not linked to a shop yet."))
    words = _("{name}, {role} at {shop}.").format(**_names(employee), role=employee.get_role_display())
    return _say(sender_id, words)


def _shop(sender_id: int) -> Answer:
    employee = _linked(sender_id)
    if employee is None:
        return _ask_contact(sender_id, _("This Telegram is not linked to a shop yet."))
    return _shop_button(sender_id, employee.shop.name)


COMMANDS = {"/start": _start, "/help": _help, "/status": _status, "/shop": _shop}


def _names(employee: Employee) -> dict[str, str]:
    return {"name": employee.name, "shop": employee.shop.name}


def _ask_contact(chat_id: int, words: str) -> Answer:
    button = {"text": _("Share my phone"), "request_contact": True}
    return _say(chat_id, words, {"keyboard": [[button]], "one_time_keyboard": True, "resize_keyboard": True})


def _shop_button(chat_id: int, words: str, otherwise: Answer | None = None) -> Answer:
    """With the Mini App's button, where one is configured; its address wants the phone (contract 3.17)."""
    employee, address = _linked(chat_id), settings.FLORIST.mini_app_url
    if employee is None or not address.startswith("https://"):
        return _say(chat_id, words, otherwise)
    url = f"{address}{'&' if '?' in address else '?'}{urlencode({'phone': employee.phone})}"
    return _say(chat_id, words, {"inline_keyboard": [[{"text": _("Open the app"), "web_app": {"url": url}}]]})


def _say(chat_id: int, words: str, keyboard: Answer | None = None) -> Answer:
    answer: Answer = {"method": "sendMessage", "chat_id": chat_id, "text": words}
    return answer if keyboard is None else {**answer, "reply_markup": keyboard}


def _sender(message: Any) -> int | None:
    """Whoever writes in a private chat; groups and channels are not answered."""
    sender = message.get("from") if isinstance(message, dict) else None
    sender_id = sender.get("id") if isinstance(sender, dict) else None
    chat = message.get("chat") if isinstance(message, dict) else None
    is_private = not isinstance(chat, dict) or chat.get("type", "private") == "private"
    is_number = isinstance(sender_id, int) and not isinstance(sender_id, bool) and 0 < sender_id < 2**52
    return sender_id if is_number and is_private else None


def _language(message: Update) -> str:
    sender = message.get("from")
    code = str(sender.get("language_code") or "")[:2] if isinstance(sender, dict) else ""
    return code if code in texts.LANGUAGES else settings.LANGUAGE_CODE


# ── the webhook ─────────────────────────────────────────────────────────────────────────────────────────────────────
PATH = "/florist/api/telegram/webhook"
TOLD = ("pending_update_count", "last_error_date", "last_error_message")
"""What only Telegram knows of our webhook."""


def webhook_status() -> dict[str, Any]:
    """Whether the bot is configured, where it sends updates once `connect_florist_bot` has told it, and whether they

    get through by Telegram's own account: nulls when it is not configured or does not answer at once.
    """
    is_ready = bool(settings.INTEGRATIONS.telegram_bot_token and _secret())
    if not is_ready:
        return {"status": "not_configured", "url": None, **dict.fromkeys(TOLD)}
    return {"status": "active", "url": settings.PUBLIC_URL.rstrip("/") + PATH, **_told_by_telegram()}


def _told_by_telegram() -> dict[str, Any]:
    try:
        state = port("bot").webhook_state()
    except VendorError:
        return dict.fromkeys(TOLD)
    failed_at = int(state.error_at.timestamp()) if state.error_at else None
    return dict(zip(TOLD, (state.waiting, failed_at, state.error or None), strict=True))


def connect() -> str:
    """Tell Telegram where our webhook is; returns the address. Raises the vendor's errors, `UpdateForged` unready."""
    address = settings.PUBLIC_URL.rstrip("/") + PATH
    ensure(bool(settings.INTEGRATIONS.telegram_bot_token and _secret()), errors.UpdateForged)
    port("bot").set_webhook(url=address, secret=_secret())
    return address


def _secret() -> str:
    return settings.FLORIST.telegram_webhook_secret or settings.INTEGRATIONS.telegram_webhook_secret
