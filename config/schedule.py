"""Every periodic job of the house: name → task, period in seconds (or crontab); and which queue a task waits in."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep outbox": {"task": "apps.core.tasks.relay_outbox", "schedule": 5.0},
    "watch code success": {"task": "apps.accounts.tasks.watch_code_success", "schedule": 300.0},
    "prune accounts": {"task": "apps.accounts.tasks.prune", "schedule": crontab(hour=3, minute=30)},
    "settle due orders": {"task": "apps.urgent.tasks.orders.settle_due_orders", "schedule": 10.0},
    "reconcile invoices": {"task": "apps.urgent.tasks.invoices.reconcile_invoices", "schedule": 120.0},
    "sweep announcements": {"task": "apps.urgent.tasks.talk.sweep_announcements", "schedule": 60.0},
    "check member figures": {
        "task": "apps.urgent.tasks.orders.check_member_figures",
        "schedule": crontab(hour=3, minute=50),
    },
    "deliver messages": {"task": "apps.notifications.tasks.deliver_due", "schedule": 5.0},
    "run broadcasts": {"task": "apps.notifications.tasks.run_broadcasts", "schedule": 60.0},
    "prune notifications": {
        "task": "apps.notifications.tasks.prune_notifications",
        "schedule": crontab(hour=3, minute=20),
    },
    "reconcile payments": {"task": "apps.payments.tasks.reconcile_payments", "schedule": 60.0},
    "audit payments": {"task": "apps.payments.tasks.audit_payments", "schedule": crontab(hour=4, minute=10)},
    "watch stock": {"task": "apps.shop.tasks.catalogue.watch_stock", "schedule": 300.0},
    "expire holds": {"task": "apps.ledger.tasks.expire_holds", "schedule": 60.0},
    "audit ledger": {"task": "apps.ledger.tasks.audit_ledger", "schedule": crontab(hour=4, minute=0)},
    "prune plumbing": {"task": "apps.core.tasks.prune_plumbing", "schedule": crontab(hour=3, minute=10)},
}

QUEUES: dict[str, tuple[str, ...]] = {
    "money": (
        "apps.payments.tasks.reconcile_payments",
        "apps.ledger.tasks.expire_holds",
        "apps.urgent.tasks.invoices.reconcile_invoices",
    ),
    "slow": (
        "apps.payments.tasks.audit_payments",
        "apps.shop.tasks.catalogue.watch_stock",
        "apps.accounts.tasks.watch_code_success",
        "apps.accounts.tasks.prune",
        "apps.core.tasks.prune_plumbing",
        "apps.ledger.tasks.audit_ledger",
        "apps.notifications.tasks.run_broadcasts",
        "apps.notifications.tasks.prune_notifications",
        "apps.urgent.tasks.orders.check_member_figures",
    ),
    "sync": ("apps.urgent.tasks.orders.settle_due_orders",),
    "talk": (
        "apps.core.tasks.relay_outbox",
        "apps.notifications.tasks.deliver_due",
        "apps.urgent.tasks.talk.sweep_announcements",
    ),
}
"""Queue by kind of work → its tasks; a test wants every task in exactly one."""

ROUTES = {task: {"queue": queue} for queue, tasks in QUEUES.items() for task in tasks}
