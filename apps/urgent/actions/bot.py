"""What Telegram tells our bot: Start, payments in Stars, refunds (contract urgent 3.7, 4.4; contract
integrations 7).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import events, texts
from apps.core.models import WebhookReceipt
from apps.integrations import telegram
from apps.integrations.ports import VendorRefused, port
from apps.urgent import errors
from apps.urgent.actions import invoices
from apps.urgent.events import BotOpened
from apps.urgent.models import Invoice

log = logging.getLogger(__name__)

STARS = "XTR"
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
        _answer_before_payment(question)
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
        invoices.take_back(charge_id=_text(refund, "telegram_payment_charge_id"))
    elif not isinstance(telegram_id, int) or not 0 < telegram_id < 2**52:
        log.info("a bot message without a sender")
    elif isinstance(payment := message.get("successful_payment"), dict):
        _credit(payment, telegram_id)
    elif (words := _text(message, "text").split()) and words[0].split("@")[0] == "/start":
        _welcome(sender, telegram_id, words)


def _credit(payment: Update, payer_id: int) -> None:
    """Stars have arrived. Our row says how many roubles they are; what matches no row goes back to the payer."""
    charge_id, stars = _text(payment, "telegram_payment_charge_id")[:255], payment.get("total_amount")
    if not charge_id:
        log.error("a Stars payment without a charge id")
        return
    invoice = _stars_invoice(_text(payment, "invoice_payload"))
    paid = stars if isinstance(stars, int) and 0 < stars < 2**31 else 0
    if invoice is None or payment.get("currency") != STARS or paid != invoice.stars:
        log.error("a Stars payment that we did not ask for", extra={"stars": paid})
        invoices.take_in_stray(charge_id=charge_id, payer_id=payer_id, stars=paid, invoice=invoice)
        return
    invoices.settle(invoice_id=invoice.pk, charge_id=charge_id, payer_id=payer_id, source="successful_payment")


def _stars_invoice(payload: str) -> Invoice | None:
    return Invoice.objects.filter(provider=Invoice.Provider.STARS, mark=payload).first() if payload else None


def _answer_before_payment(question: Update) -> None:
    """Telegram waits ten seconds for this answer; a repeat is answered again, because the first may have been lost."""
    problem = _problem_with(question)
    with texts.speaking(_language(question.get("from"))):
        words = str(problem) if problem else ""
    try:
        port("bot").answer_pre_checkout(query_id=_text(question, "id"), ok=problem is None, error=words)
    except VendorRefused:  # too late: Telegram has cancelled the payment by itself
        log.warning("a pre-checkout answer was refused")


def _problem_with(question: Update) -> Any:
    """Why this payment must not happen, in words for the payer; `None` when it may. Anybody may pay for a member."""
    invoice = _stars_invoice(_text(question, "invoice_payload"))
    if invoice is None:
        return _("This invoice does not exist")
    if question.get("currency") != STARS or question.get("total_amount") != invoice.stars:
        return _("The amount does not match the invoice")
    if invoice.status != Invoice.Status.PENDING or timezone.now() >= invoice.expires_at:
        return _("This invoice is over, please make a new one")
    return None


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
