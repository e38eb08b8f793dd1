"""What the roof does: roles follow the code after a migration, staff learn what machines noticed."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.utils import timezone

from apps.accounts.events import CodeSuccessFell, SmsCapReached
from apps.core import events
from apps.florist.events import StockDisagrees
from apps.ledger import events as ledger
from apps.payments import events as payments
from apps.portal import alerts, roles
from apps.shop.events import OrdersAndMoneyDisagree, StockRanLow

alerts.register()


@receiver(post_migrate, dispatch_uid="portal.establish_roles")
def establish_roles(sender: AppConfig, **_: Any) -> None:
    """After the last app, when every permission has its row."""
    if sender.name == [config for config in apps.get_app_configs() if config.models_module][-1].name:
        roles.establish()


@events.after(payments.LookNeeded)
def ask_for_a_look(event: payments.LookNeeded) -> None:
    """Once a day for the same reason: a person may have looked, and it came again."""
    why = hashlib.sha256(event.why.encode()).hexdigest()[:16]
    key = f"{event.payment_id}:{why}:{timezone.localdate()}"
    alerts.ring(alerts.LOOK_NEEDED, key=key, facts=asdict(event), row=event.payment_id)


@events.after(payments.SurplusTaken)
def tell_of_a_surplus(event: payments.SurplusTaken) -> None:
    """The money goes back by itself; somebody should know why a buyer calls."""
    alerts.ring(alerts.SURPLUS_TAKEN, key=str(event.payment_id), facts=asdict(event), row=event.payment_id)


@events.after(payments.AuditFailed)
def tell_of_faults_in_payments(event: payments.AuditFailed) -> None:
    """Once a day; the report lists the faults."""
    alerts.ring(alerts.PAYMENTS_AUDIT, key=str(timezone.localdate()), facts=asdict(event))


@events.after(OrdersAndMoneyDisagree)
def tell_of_orders_without_their_money(event: OrdersAndMoneyDisagree) -> None:
    """Once a day."""
    facts = {"count": event.count, "order_ids": ", ".join(map(str, event.order_ids))}
    alerts.ring(alerts.ORDERS_AND_MONEY, key=str(timezone.localdate()), facts=facts)


@events.after(StockRanLow)
def tell_of_an_empty_shelf(event: StockRanLow) -> None:
    """Once a fall; the shop's own administrators read it in the shop."""
    key = f"{event.slipper_id}:{event.fell_at}"
    alerts.ring(alerts.LOW_STOCK, key=key, facts=asdict(event), row=event.slipper_id)


@events.after(ledger.AuditFailed)
def tell_of_faults_in_the_books(event: ledger.AuditFailed) -> None:
    """Once a day."""
    alerts.ring(alerts.LEDGER_AUDIT, key=str(timezone.localdate()), facts=asdict(event))


@events.after(CodeSuccessFell)
def tell_of_unanswered_codes(event: CodeSuccessFell) -> None:
    """Once a prefix and day, as it rings."""
    alerts.ring(alerts.CODES_FAIL, key=f"{event.day}:{event.prefix}", facts=asdict(event))


@events.after(SmsCapReached)
def tell_of_the_cap(event: SmsCapReached) -> None:
    """Once a day, as it rings."""
    alerts.ring(alerts.SMS_CAP, key=event.day, facts=asdict(event))


@events.after(StockDisagrees)
def tell_of_stock_that_does_not_add_up(event: StockDisagrees) -> None:
    """Once a shop and day; the screen lists the faults."""
    alerts.ring(alerts.FLOWER_STOCK, key=f"{event.shop_id}:{timezone.localdate()}", facts=asdict(event))
