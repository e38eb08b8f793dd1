"""How much money a member has."""

from __future__ import annotations

from apps.ledger import queries as ledger
from apps.ledger.models import Entry
from apps.payments import queries as payments
from apps.payments.models import Payment
from apps.urgent.conf import BOOK, CURRENCY, TOPUP
from apps.urgent.models import Invoice, Member, Order


def balance(member: Member) -> int:
    """Whole roubles; nothing here is ever priced in kopecks."""
    return int(ledger.balance(member.user, BOOK, CURRENCY))


def invoice_of(member: Member, invoice_id: int) -> Invoice | None:
    """The member's own invoice, or nothing."""
    if not 0 < invoice_id < 2**63:
        return None
    return Invoice.objects.filter(pk=invoice_id, member=member).first()


def payment_of(invoice: Invoice) -> Payment:
    """Its payment: there is one, made in the same request. Raises `Payment.DoesNotExist` between the two."""
    return payments.of(TOPUP, str(invoice.pk)).filter(is_surplus=False).get()


def wire_status(invoice: Invoice) -> str:
    """pending, paid or expired: the only words that clients know (contract urgent 1.1 row 18)."""
    if invoice.entry_id:
        return "paid"
    payment = payments.of(TOPUP, str(invoice.pk)).filter(is_surplus=False).first()
    return "expired" if payment and payment.status in Payment.ENDED else "pending"


def entries_of_order(order: Order) -> list[Entry]:
    """What the takes of an order moved: found by their keys, which the ledger has indexed."""
    takes = list(order.takes.select_related("executor"))
    keys = [key for take in takes for key in (take.payment_key, take.refund_key)]
    holders = [take.executor.user_id for take in takes]
    mine = Entry.objects.filter(account__holder__in=holders, account__book=BOOK, key__in=keys)
    return list(mine.select_related("account__holder").order_by("-id"))


def last_entries(member: Member, limit: int = 20) -> list[Entry]:
    """The newest movements of a member's balance."""
    mine = Entry.objects.filter(account__holder=member.user_id, account__book=BOOK)
    return list(mine.select_related("account__holder").order_by("-version")[:limit])
