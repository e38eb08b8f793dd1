"""Bills and stray payments become payments: rows, states, numbers, history; late money still finds them."""

from django.conf import settings
from django.db import migrations
from django.utils import timezone, translation

STATUSES = {
    "pending": "pending",
    "paid": "paid",
    "expired": "cancelled",
    "refused": "failed",
    "refunded": "refunded",
}
TOPUP, STRAY, STARS, CRYPTO_BOT = "urgent.topup", "stray", "telegram_stars", "crypto_bot"


def move(apps, schema_editor):
    """Bills first: stray payments name them."""
    bot = settings.URGENT.bot_username
    return_url = f"https://t.me/{bot}" if bot else settings.PUBLIC_URL
    with translation.override("ru"):  # YooKassa was asked in these words, and answers a repeat in no others
        words = translation.gettext("Balance top-up: {amount} RUB")
    invoices = apps.get_model("urgent", "Invoice").objects.select_related("member").order_by("pk")
    for invoice in invoices.iterator(chunk_size=500):
        _move_bill(apps, invoice, words.format(amount=invoice.amount), return_url)
    for stray in apps.get_model("urgent", "StrayPayment").objects.order_by("pk").iterator(chunk_size=500):
        _move_stray(apps, stray)


def _move_bill(apps, invoice, description, return_url):
    is_stars = invoice.provider == STARS
    amount = (invoice.stars or 1) if is_stars else invoice.amount
    is_paid, went_back = invoice.status in ("paid", "refunded"), invoice.status == "refunded"
    number = invoice.provider_invoice_id if invoice.provider == CRYPTO_BOT else invoice.charge_id
    payment = apps.get_model("payments", "Payment").objects.create(
        purpose=TOPUP,
        reference=str(invoice.pk),
        key=str(invoice.pk),
        payer_id=invoice.member.user_id,
        method=invoice.provider,
        amount=amount,
        currency="XTR" if is_stars else "RUB",
        description=description,
        return_url=return_url,
        status=_status(invoice),
        shop_transaction_id=invoice.mark,
        vendor_id=str(number) if number else None,
        vendor_payer=str(invoice.payer_id or ""),
        pay_url=invoice.pay_url,
        mini_app_url=invoice.mini_app_url,
        captured_amount=amount if is_paid else 0,
        refunding_amount=amount if went_back else 0,
        refunded_amount=amount if went_back else 0,
        needs_attention=invoice.needs_attention,
        note=invoice.note,
        created_at=invoice.created_at,
        expires_at=invoice.expires_at,
        paid_at=invoice.paid_at,
        ended_at=invoice.expires_at if invoice.status in ("expired", "refused") else None,
        refunded_at=invoice.refunded_at,
        check_at=(invoice.check_at or timezone.now()) if invoice.status == "pending" else None,
        checks_count=invoice.checks_count,
    )
    if went_back:
        _note_refund(apps, payment, "succeeded", invoice.refunded_at)
    _move_history(apps, invoice, payment)


def _status(invoice):
    """A bill whose answer got lost has no page: as a payment it was only created."""
    is_answered = invoice.provider_invoice_id or invoice.charge_id or invoice.pay_url
    return "created" if invoice.status == "pending" and not is_answered else STATUSES[invoice.status]


def _note_refund(apps, payment, status, at):
    apps.get_model("payments", "Refund").objects.create(
        payment=payment,
        amount=payment.amount,
        currency=payment.currency,
        key="moved",
        shop_refund_id=f"moved-{payment.pk}",
        status=status,
        reason="moved with its bill",
        created_at=at or timezone.now(),
        settled_at=at if status == "succeeded" else None,
        check_at=timezone.now() if status == "new" else None,
    )


def _move_history(apps, invoice, payment):
    StepLog = apps.get_model("core", "StepLog")
    for row in StepLog.objects.filter(model="urgent.Invoice", object_id=str(invoice.pk)).order_by("pk"):
        row.model, row.object_id = "payments.Payment", str(payment.pk)
        row.from_status = STATUSES.get(row.from_status, row.from_status)
        row.to_status = STATUSES.get(row.to_status, row.to_status)
        row.save()


def _move_stray(apps, stray):
    """What has not gone back yet is sent by the schedule."""
    payment = apps.get_model("payments", "Payment").objects.create(
        purpose=TOPUP if stray.invoice_id else STRAY,
        reference=str(stray.invoice_id or f"{stray.provider}:{stray.charge_id}"[:200]),
        key=f"stray:{stray.pk}",
        method=stray.provider,
        amount=max(1, stray.amount),
        currency="XTR" if stray.provider == STARS else "RUB",
        description="stray",
        status="refunded" if stray.returned_at else "paid",
        shop_transaction_id=f"stray-{stray.pk}",
        vendor_id=stray.charge_id,
        vendor_payer=str(stray.telegram_id),
        captured_amount=max(1, stray.amount),
        refunding_amount=max(1, stray.amount),
        refunded_amount=max(1, stray.amount) if stray.returned_at else 0,
        is_superseded=True,
        is_surplus=True,
        created_at=stray.created_at,
        expires_at=stray.created_at,
        paid_at=stray.created_at,
        refunded_at=stray.returned_at,
    )
    _note_refund(apps, payment, "succeeded" if stray.returned_at else "new", stray.returned_at)


class Migration(migrations.Migration):
    dependencies = [("urgent", "0002_cities"), ("payments", "0002_wallets"), ("core", "0001_initial")]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
