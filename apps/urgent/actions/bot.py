"""What Telegram tells our bot: Start, payments in Stars, refunds (contract urgent 3.7, 4.4; contract
integrations 7).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import events, texts
from apps.core.models import WebhookReceipt
from apps.integrations import telegram
from apps.integrations.ports import port
from apps.payments import actions as payments
from apps.urgent import errors
from apps.urgent.events import BotOpened

log = logging.getLogger(__name__)

LONGEST_START = 64
"""Telegram allows this many characters in a deep link's parameter."""

Update = Mapping[str, Any]


def receive(*, update: Any, secret: str) -> None:
    """Take in one update; a repeat of the same `update_id` changes nothing, unknown kinds are ignored.

    Raises `NoticeForged` without the right secret, `NoticeMalformed` without an update id, and the vendor's errors
    when a question before a payment could not be answered: Telegram then asks again.
    """
    if not telegram.is_genuine_update(secret):
        raise errors.NoticeForged()
    number = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise errors.NoticeMalformed()
    if isinstance(question := update.get("pre_checkout_query"), dict):
        payments.answer_stars_question(question, language=_language(question.get("from")))
    elif isinstance(message := update.get("message"), dict):
        _once(number, message)


def _once(number: int, message: Update) -> None:
    """Receipt and effect in one transaction: whichever of two equal updates comes second finds the receipt."""
    try:
        with transaction.atomic():
            WebhookReceipt.objects.create(vendor="telegram", external_id=str(number), kind="message")
            _take_in(message)
    except IntegrityError:
        if not WebhookReceipt.objects.filter(vendor="telegram", external_id=str(number)).exists():
            raise


def _take_in(message: Update) -> None:
    sender = message.get("from")
    telegram_id = sender.get("id") if isinstance(sender, dict) else None
    if isinstance(refund := message.get("refunded_payment"), dict):
        payments.stars_went_back(refund)
    elif not isinstance(telegram_id, int) or not 0 < telegram_id < 2**52:
        log.info("a bot message without a sender")
    elif isinstance(payment := message.get("successful_payment"), dict):
        payments.receive_stars(payment, payer_id=telegram_id)
    elif (words := _text(message, "text").split()) and words[0].split("@")[0] == "/start":
        _welcome(sender, telegram_id, words)


def _welcome(sender: Any, telegram_id: int, words: list[str]) -> None:
    start = words[1][:LONGEST_START] if len(words) > 1 else ""
    events.publish(BotOpened(telegram_id=telegram_id, language=_language(sender), start=start))


def greet(*, telegram_id: int, language: str, start: str) -> None:
    """Answer Start with a button that opens the Mini App. Raises the vendor's errors."""
    with texts.speaking(language):
        text = str(_("Welcome! Post an order or take one: everything happens in the app."))
        button = (str(_("Open the app")), link) if (link := app_link(start)) else None
    port("bot").send_message(chat_id=telegram_id, text=text, button=button)


def app_link(start: str = "") -> str:
    """The Mini App's address, with a place to open in it; empty without a configured bot name (contract urgent 4.3)."""
    name = settings.URGENT.bot_username or settings.INTEGRATIONS.telegram_bot_username
    is_safe = start.replace("_", "").replace("-", "").isalnum() and start.isascii()
    return (
        f"https://t.me/{name}?startapp={start}" if name and is_safe else f"https://t.me/{name}?startapp" if name else ""
    )


def _language(person: Any) -> str:
    code = str(person.get("language_code") or "")[:2] if isinstance(person, dict) else ""
    return code if code in texts.LANGUAGES else settings.LANGUAGE_CODE


def _text(source: Update, name: str) -> str:
    value = source.get(name)
    return value.replace("\x00", "") if isinstance(value, str) else ""
