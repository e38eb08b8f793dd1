"""Bills: written first, then asked from the provider, credited exactly once (contract urgent 3.7, design 3.10).

A provider that does not answer has not said no: the row stays pending and `reconcile` asks again.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import events, states, throttle
from apps.core.models import WebhookReceipt
from apps.core.money import Money
from apps.core.throttle import Limit
from apps.integrations.ports import VendorBusy, VendorError, VendorRefused, VendorUnsure, port
from apps.ledger import actions as ledger
from apps.ledger import queries as ledger_queries
from apps.urgent import access, errors, gateways
from apps.urgent.conf import BOOK, CURRENCY
from apps.urgent.events import InvoiceRefunded, StrayPaymentTaken
from apps.urgent.models import Invoice, Member, StrayPayment
from apps.urgent.queries import members as people

log = logging.getLogger(__name__)

FIRST_QUESTION_AFTER = timedelta(minutes=1)
"""The notice usually comes sooner; then nobody has to be asked."""

QUESTION_PAUSE = timedelta(minutes=2)
GRACE = timedelta(minutes=10)
"""A bill stays open this long past its end: the provider's clock and its notice may be late."""

BATCH = 100
WORD = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""What a bill may be called at a provider that uses words."""

NOTICES_PER_BILL = Limit(30, 3600)
"""Unsigned notices: whoever knows a payment's id could make us ask and ask."""


def create(*, by: Member, amount: int, provider: str = "") -> Invoice:
    """A bill of `amount` roubles for `by`. Call it outside a transaction: the row must survive what the provider does.

    Raises `PaymentsNotConfigured`, `TooManyRecharges`, `PaymentProviderFailed`.
    """
    access.ensure_not_blocked(by)
    chosen, gateway = _choose(provider)
    throttle.hit(
        "urgent-recharge", by.pk, Limit(settings.URGENT.recharges_per_hour, 3600), refusal=errors.TooManyRecharges
    )
    invoice = _write_row(by, amount, chosen, gateway)
    try:
        bill = gateway.issue(invoice)
    except VendorUnsure as problem:
        log.warning("invoice is unsure", extra={"invoice_id": invoice.pk})
        raise errors.PaymentProviderFailed() from problem
    except (VendorBusy, VendorRefused) as problem:
        states.step(invoice, Invoice.Status.REFUSED, by=None, reason=type(problem).__name__)
        raise errors.PaymentProviderFailed() from problem
    return _keep_bill(invoice, bill)


def _choose(provider: str) -> tuple[str, gateways.Gateway]:
    """The named gateway, or the operator's choice, or the first one that is set up."""
    for name, gateway in gateways.preferred():
        if provider in ("", name) and gateway.is_configured():
            return name, gateway
    raise errors.PaymentsNotConfigured()


def _write_row(by: Member, amount: int, provider: str, gateway: gateways.Gateway) -> Invoice:
    now = timezone.now()
    return Invoice.objects.create(
        member=by,
        provider=provider,
        amount=amount,
        stars=gateway.price(amount),
        created_at=now,
        expires_at=now + timedelta(seconds=settings.URGENT.crypto_invoice_seconds),
        check_at=now + FIRST_QUESTION_AFTER,
    )


def _keep_bill(invoice: Invoice, bill: gateways.Bill) -> Invoice:
    """Keep what the provider issued; a notice may have overtaken us, so only these columns are written.

    A number that we have met before comes from another network of the provider: the caller must not pay such a bill.
    """
    invoice.provider_invoice_id = bill.provider_invoice_id
    invoice.pay_url, invoice.mini_app_url = bill.pay_url[:512], bill.mini_app_url
    written = ["provider_invoice_id", "pay_url", "mini_app_url"]
    if bill.charge_id:
        invoice.charge_id = bill.charge_id
        written.append("charge_id")
    try:
        with transaction.atomic():
            invoice.save(update_fields=written)
    except IntegrityError as problem:
        log.error("a provider gave a number twice", extra={"invoice_id": invoice.pk})
        raise errors.PaymentProviderFailed() from problem
    return invoice


def settle(*, invoice_id: int, charge_id: str | None = None, payer_id: int | None = None, source: str) -> Invoice:
    """Credit our stored amount once, whoever says how often that it was paid; a late payment counts too.

    Another charge for a paid bill becomes a stray payment that goes back. Raises `Invoice.DoesNotExist`.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("member__user").get(pk=invoice_id)
        if invoice.status in (Invoice.Status.PAID, Invoice.Status.REFUNDED):
            _return_second_payment(invoice, charge_id, payer_id)
            return invoice
        entry = ledger.post(
            by=None,
            holder=people.holder_of(invoice.member),
            book=BOOK,
            amount=Money(Decimal(invoice.amount), CURRENCY),
            key=f"invoice:{invoice.pk}",
            reason="recharge",
            house=house_account(invoice.provider),
            reference=f"invoice:{invoice.pk}",
        )
        Invoice.objects.filter(pk=invoice.pk).update(entry=entry, charge_id=charge_id, payer_id=payer_id, check_at=None)
        return states.step(invoice, Invoice.Status.PAID, by=None, reason=source)


def house_account(provider: str) -> str:
    """Where the money of a provider comes from in the ledger."""
    return {
        Invoice.Provider.CRYPTO_BOT: "urgent:topup:crypto_bot",
        Invoice.Provider.STARS: "urgent:topup:stars",
        Invoice.Provider.YUKASSA: "urgent:topup:yukassa",
    }[Invoice.Provider(provider)]


def _return_second_payment(invoice: Invoice, charge_id: str | None, payer_id: int | None) -> None:
    """Stars links can be paid twice; the same charge told twice is only a repeat."""
    if charge_id and payer_id and charge_id != invoice.charge_id:
        take_in_stray(charge_id=charge_id, payer_id=payer_id, stars=invoice.stars or 0, invoice=invoice)


def take_in_stray(*, charge_id: str, payer_id: int, stars: int, invoice: Invoice | None) -> StrayPayment:
    """Remember money that must go back; a repeat finds the row."""
    with transaction.atomic():
        stray, is_new = StrayPayment.objects.get_or_create(
            provider=Invoice.Provider.STARS,
            charge_id=charge_id,
            defaults={"telegram_id": payer_id, "amount": stars, "invoice": invoice},
        )
        if is_new:
            events.publish(StrayPaymentTaken(stray_id=stray.pk))
    return stray


def return_stray(*, stray_id: int) -> None:
    """Give stray Stars back. The provider answers the same when asked twice.

    Raises `VendorBusy`, `VendorRefused`, `VendorUnsure`.
    """
    stray = StrayPayment.objects.get(pk=stray_id)
    if stray.returned_at:
        return
    port("bot").refund_stars(telegram_id=stray.telegram_id, charge_id=stray.charge_id)
    StrayPayment.objects.filter(pk=stray.pk, returned_at=None).update(returned_at=timezone.now())


def receive_notice(*, raw: bytes, signature: str) -> None:
    """CryptoBot says that something happened. Raises `NoticeForged` (401) and `NoticeMalformed` (400), see D12.

    The signature proves the sender, the provider is asked for the truth, the amount is ours. When it cannot be asked
    the proven notice stands, as contract urgent 3.7 has it; when it contradicts the notice, nothing is credited.
    """
    if not port("crypto").is_genuine(raw, signature):
        raise errors.NoticeForged()
    notice = _read_notice(raw)
    if notice is None:
        return
    number, payload, update_id = notice
    invoice = _find(number, payload)
    if invoice is None:
        log.warning("notice for an unknown invoice", extra={"provider_invoice_id": number})
        return
    if invoice.status in (Invoice.Status.PAID, Invoice.Status.REFUNDED):
        return
    if _is_denied(invoice):
        log.error("a notice says paid, the provider does not", extra={"invoice_id": invoice.pk})
        Invoice.objects.filter(pk=invoice.pk).update(
            needs_attention=True, note="A notice said paid, the provider did not"
        )
        return
    with transaction.atomic():
        settle(invoice_id=invoice.pk, source="notice")
        WebhookReceipt.objects.get_or_create(
            vendor="cryptobot", external_id=str(update_id or f"invoice:{number}"), defaults={"kind": "invoice_paid"}
        )


def _json(raw: bytes) -> dict[str, Any]:
    try:
        notice = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise errors.NoticeMalformed() from problem
    if not isinstance(notice, dict):
        raise errors.NoticeMalformed()
    return notice


def _read_notice(raw: bytes) -> tuple[int, str, Any] | None:
    """Invoice number, our payload and the update's id; `None` for kinds that are not ours."""
    notice = _json(raw)
    if notice.get("update_type") != "invoice_paid":
        return None
    bill = notice.get("payload")
    if not isinstance(bill, dict):
        raise errors.NoticeMalformed()
    number = bill.get("invoice_id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**63:
        raise errors.NoticeMalformed()
    return number, str(bill.get("payload") or "").replace("\x00", ""), notice.get("update_id")


def _find(number: int, payload: str) -> Invoice | None:
    """By the provider's number, or by our own mark when the answer that held the number never reached us."""
    bills = Invoice.objects.filter(provider=Invoice.Provider.CRYPTO_BOT)
    if invoice := bills.filter(provider_invoice_id=number).first():
        return invoice
    invoice = bills.filter(mark=payload, provider_invoice_id=None).first() if payload else None
    if invoice is not None:
        Invoice.objects.filter(pk=invoice.pk, provider_invoice_id=None).update(provider_invoice_id=number)
        invoice.provider_invoice_id = number
    return invoice


def receive_yukassa_notice(*, raw: bytes) -> None:
    """YooKassa, or anybody else, says that something happened to a payment (contract urgent 10).

    Its notices carry no signature, so nothing in them is believed: they name a bill of ours, the provider is asked.
    Raises `NoticeMalformed` (400); `PaymentProviderFailed` (502) when it cannot be asked and `TooMany` (429) when there
    are too many about one bill: a real notice is sent again.
    """
    notice = _read_yukassa_notice(raw)
    invoice = _find_at_yukassa(*notice) if notice else None
    if invoice is None or invoice.status in (Invoice.Status.PAID, Invoice.Status.REFUNDED):
        return
    throttle.hit("urgent-yukassa-notice", invoice.pk, NOTICES_PER_BILL)
    try:
        said = gateways.GATEWAYS[invoice.provider].ask([invoice]).get(invoice.pk)
    except VendorError as problem:
        raise errors.PaymentProviderFailed() from problem
    if said is None or said.state == gateways.UNKNOWN:
        return
    with transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk, charge_id=None).update(charge_id=said.charge_id)
        _act_on(invoice, said, timezone.now(), source="notice")
        if said.state == gateways.PAID:
            WebhookReceipt.objects.get_or_create(
                vendor="yukassa", external_id=str(said.charge_id), defaults={"kind": "payment.succeeded"}
            )


def _read_yukassa_notice(raw: bytes) -> tuple[str, str] | None:
    """The payment's id and our mark; `None` for kinds that are not ours."""
    notice = _json(raw)
    event, thing = notice.get("event"), notice.get("object")
    if notice.get("type") != "notification" or not isinstance(event, str):
        raise errors.NoticeMalformed()
    if not event.startswith("payment."):
        return None
    if not isinstance(thing, dict) or not isinstance(thing.get("id"), str) or not _is_word(thing["id"]):
        raise errors.NoticeMalformed()
    metadata = thing.get("metadata")
    mark = metadata.get("invoice") if isinstance(metadata, dict) else None
    return thing["id"], mark if isinstance(mark, str) and _is_word(mark) else ""


def _is_word(text: str) -> bool:
    """Something that a bill may be called by."""
    return bool(WORD.fullmatch(text))


def _find_at_yukassa(payment_id: str, mark: str) -> Invoice | None:
    """By the payment's id, or by our own mark when the answer that held the id never reached us.

    The id of the second kind is the notice's claim: it is asked about, and kept when the provider confirms it.
    """
    bills = Invoice.objects.filter(provider=Invoice.Provider.YUKASSA)
    if invoice := bills.filter(charge_id=payment_id).first():
        return invoice
    invoice = bills.filter(mark=mark, charge_id=None).first() if mark else None
    if invoice is None:
        log.warning("notice for an unknown payment")
        return None
    invoice.charge_id = payment_id
    return invoice


def _is_denied(invoice: Invoice) -> bool:
    """True when the provider was reached and says that this bill is not paid."""
    try:
        said = gateways.GATEWAYS[invoice.provider].ask([invoice]).get(invoice.pk)
    except VendorError:
        return False
    return said is not None and said.state != gateways.PAID


def reconcile(*, now: datetime | None = None, limit: int = 1000) -> int:
    """Ask the providers about bills that are due; credit what was paid, end what is over.

    Returns how many were looked at.
    """
    moment = now or timezone.now()
    looked_at = 0
    while looked_at < limit and (batch := _claim(moment)):
        for provider in gateways.GATEWAYS:
            _ask_about([row for row in batch if row.provider == provider], moment)
        looked_at += len(batch)
    return looked_at


def _claim(now: datetime) -> list[Invoice]:
    """Take due bills by moving their next question; a job that dies leaves them to the next round."""
    with transaction.atomic():
        due = list(Invoice.objects.due(now).select_for_update(skip_locked=True, of=("self",))[:BATCH])
        for invoice in due:
            invoice.check_at = now + QUESTION_PAUSE
            invoice.checks_count += 1
        Invoice.objects.bulk_update(due, ["check_at", "checks_count"])
    return due


def _ask_about(invoices: list[Invoice], now: datetime) -> None:
    if not invoices:
        return
    try:
        answers = gateways.GATEWAYS[invoices[0].provider].ask(invoices)
    except VendorError as problem:
        log.warning("a payment provider cannot be asked", extra={"problem": type(problem).__name__})
        return
    for invoice in invoices:
        _act_on(invoice, answers.get(invoice.pk), now)


def _act_on(invoice: Invoice, said: gateways.Standing | None, now: datetime, *, source: str = "reconcile") -> None:
    """One bill and the provider's word on it (`None`: it cannot be asked about)."""
    state = said.state if said else gateways.UNKNOWN
    if said:
        _keep_names(invoice, said)
    if state == gateways.PAID and said:
        settle(invoice_id=invoice.pk, charge_id=said.charge_id, payer_id=said.payer_id, source=source)
    elif state == gateways.ODD:
        _call_staff(invoice)
    elif state == gateways.OVER or (state == gateways.UNKNOWN and now >= invoice.expires_at + GRACE):
        _expire(invoice, state)


def _keep_names(invoice: Invoice, said: gateways.Standing) -> None:
    """What the provider calls a bill whose name never reached us; a paid one gets its charge from `settle`."""
    row = Invoice.objects.filter(pk=invoice.pk)
    if said.provider_invoice_id and not invoice.provider_invoice_id:
        row.update(provider_invoice_id=said.provider_invoice_id)
    if said.charge_id and not invoice.charge_id and said.state != gateways.PAID:
        row.filter(charge_id=None).update(charge_id=said.charge_id)


def _call_staff(invoice: Invoice) -> None:
    """Another sum than ours was paid, or it went back already: nothing is credited, a person must look."""
    log.error("a payment is not what was asked for", extra={"invoice_id": invoice.pk})
    Invoice.objects.filter(pk=invoice.pk).exclude(status__in=(Invoice.Status.PAID, Invoice.Status.REFUNDED)).update(
        needs_attention=True, check_at=None, note="The provider took another sum, or has paid it back"
    )


def _expire(invoice: Invoice, state: str) -> None:
    try:
        states.step(invoice, Invoice.Status.EXPIRED, by=None, reason=f"provider says {state}")
    except errors.InvoiceSettled:
        log.info("paid while it was being expired", extra={"invoice_id": invoice.pk})


def ask_now(*, by: Any, invoice: Invoice) -> Invoice:
    """Staff: ask the provider about one bill at once, whatever its state.

    Raises `NotAModerator`, `PaymentProviderFailed`.
    """
    access.ensure_can_handle_payments(by)
    try:
        said = gateways.GATEWAYS[invoice.provider].ask([invoice]).get(invoice.pk)
    except VendorError as problem:
        raise errors.PaymentProviderFailed() from problem
    if said and said.state == gateways.PAID:
        settle(invoice_id=invoice.pk, charge_id=said.charge_id, payer_id=said.payer_id, source="staff asked")
    elif said and said.state == gateways.OVER and invoice.status == Invoice.Status.PENDING:
        _expire(invoice, said.state)
    is_odd = said is not None and said.state == gateways.ODD
    if is_odd:
        _call_staff(invoice)
    Invoice.objects.filter(pk=invoice.pk).update(needs_attention=is_odd)
    invoice.refresh_from_db()
    return invoice


def refund(*, by: Any, invoice: Invoice, reason: str) -> Invoice:
    """Staff: take the roubles off the balance and send the Stars back.

    Raises `PaymentNotRefundable`, `ledger.NotEnoughBalance`.

    The debit and the order to return the Stars are one transaction; the provider is called after it, until it answers.
    """
    access.ensure_can_handle_payments(by)
    access.ensure_reason(reason)
    with transaction.atomic():
        locked = Invoice.objects.select_for_update(of=("self",)).select_related("member__user").get(pk=invoice.pk)
        if locked.status != Invoice.Status.PAID or locked.provider != Invoice.Provider.STARS:
            raise errors.PaymentNotRefundable()
        _debit(locked, locked.amount, by)
        refunded = states.step(locked, Invoice.Status.REFUNDED, by=by, reason=reason)
        _announce_refund(locked, stars_to_return=True)
    return refunded


def return_stars(*, invoice_id: int) -> None:
    """Send the Stars of a refunded bill back; asking twice is harmless. Raises the vendor's errors."""
    invoice = Invoice.objects.get(pk=invoice_id)
    if invoice.status != Invoice.Status.REFUNDED or not invoice.charge_id or not invoice.payer_id:
        return
    port("bot").refund_stars(telegram_id=invoice.payer_id, charge_id=invoice.charge_id)


def take_back(*, charge_id: str) -> Invoice | None:
    """The provider has given Stars back by itself: debit what is left of them; the rest is noted as a shortfall."""
    with transaction.atomic():
        invoice = (
            Invoice.objects.select_for_update(of=("self",))
            .select_related("member__user")
            .filter(provider=Invoice.Provider.STARS, charge_id=charge_id)
            .first()
        )
        if invoice is None or invoice.status != Invoice.Status.PAID:
            return invoice
        missing = invoice.amount - _debit_what_is_left(invoice)
        Invoice.objects.filter(pk=invoice.pk).update(shortfall=missing, needs_attention=missing > 0)
        refunded = states.step(invoice, Invoice.Status.REFUNDED, by=None, reason="refunded by Telegram")
        _announce_refund(invoice, stars_to_return=False)
    return refunded


def _debit_what_is_left(invoice: Invoice) -> int:
    """Debit at most the balance, which a take at the same moment may make smaller; returns the roubles debited."""
    while left := min(int(ledger_queries.balance(people.holder_of(invoice.member), BOOK, CURRENCY)), invoice.amount):
        try:
            with transaction.atomic():
                _debit(invoice, left, None)
        except ledger.NotEnoughBalance:
            continue
        return left
    return 0


def _debit(invoice: Invoice, amount: int, by: Any) -> None:
    ledger.post(
        by=by,
        holder=people.holder_of(invoice.member),
        book=BOOK,
        amount=Money(Decimal(-amount), CURRENCY),
        key=f"invoice-refund:{invoice.pk}",
        reason="recharge_refund",
        house=house_account(invoice.provider),
        reference=f"invoice:{invoice.pk}",
    )


def _announce_refund(invoice: Invoice, *, stars_to_return: bool) -> None:
    refunded = InvoiceRefunded(
        invoice_id=invoice.pk, member_id=invoice.member_id, amount=invoice.amount, stars_to_return=stars_to_return
    )
    events.publish(refunded)
