"""Every periodic job of the house: name → task, period in seconds (or crontab); and which queue a task waits in."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep outbox": {"task": "apps.core.tasks.relay_outbox", "schedule": 5.0},
    "watch code success": {"task": "apps.accounts.tasks.watch_code_success", "schedule": 300.0},
    "prune accounts": {"task": "apps.accounts.tasks.prune", "schedule": crontab(hour=3, minute=30)},
    "settle due orders": {"task": "apps.urgent.tasks.orders.settle_due_orders", "schedule": 10.0},
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
    "run iiko jobs": {"task": "apps.loyalty.tasks.iiko.run_iiko_jobs", "schedule": 2.0},
    "reconcile with iiko": {
        "task": "apps.loyalty.tasks.iiko.reconcile_with_iiko",
        "schedule": crontab(hour=4, minute=30),
    },
    "prune iiko": {"task": "apps.loyalty.tasks.iiko.prune_iiko", "schedule": crontab(hour=3, minute=40)},
    "refresh menu": {"task": "apps.loyalty.tasks.menu.refresh_menu", "schedule": 20.0},
    "withdraw announcements": {
        "task": "apps.loyalty.tasks.announcements.withdraw_announcements",
        "schedule": 60.0,
    },
    "expire unpaid orders": {"task": "apps.shop.tasks.orders.expire_unpaid_orders", "schedule": 60.0},
    "compare orders with money": {
        "task": "apps.shop.tasks.payments.compare_orders_with_money",
        "schedule": crontab(hour=4, minute=20),
    },
    "sweep promised times": {"task": "apps.tickets.tasks.clocks.sweep_clocks", "schedule": 60.0},
    "sweep direct uploads": {"task": "apps.tickets.tasks.photos.sweep_uploads", "schedule": 3600.0},
    "forget senders of reports": {
        "task": "apps.tickets.tasks.open311.forget_senders",
        "schedule": crontab(hour=3, minute=55),
    },
    "release unpaid florist orders": {
        "task": "apps.florist.tasks.orders.release_unpaid_orders",
        "schedule": 300.0,
    },
    "complete delivered florist orders": {
        "task": "apps.florist.tasks.orders.complete_delivered_orders",
        "schedule": crontab(hour=3, minute=45),
    },
    "raise late florist tasks": {"task": "apps.florist.tasks.production.raise_late_tasks", "schedule": 60.0},
    "watch florist stock": {"task": "apps.florist.tasks.stock.watch_stock", "schedule": 3600.0},
    "check florist stock": {
        "task": "apps.florist.tasks.stock.check_stock",
        "schedule": crontab(hour=4, minute=40),
    },
    "announce florist dates": {"task": "apps.florist.tasks.customers.announce_dates", "schedule": 900.0},
    "make standing orders": {"task": "apps.florist.tasks.customers.make_standing_orders", "schedule": 900.0},
    "recount florist buyers": {
        "task": "apps.florist.tasks.customers.recount_buyers",
        "schedule": crontab(hour=4, minute=50),
    },
    "sweep florist pictures": {
        "task": "apps.florist.tasks.people.sweep_pictures",
        "schedule": crontab(hour=3, minute=20),
    },
    "forget florist registrations": {
        "task": "apps.florist.tasks.people.forget_registrations",
        "schedule": crontab(hour=3, minute=25),
    },
    "expire holds": {"task": "apps.ledger.tasks.expire_holds", "schedule": 60.0},
    "audit ledger": {"task": "apps.ledger.tasks.audit_ledger", "schedule": crontab(hour=4, minute=0)},
    "prune plumbing": {"task": "apps.core.tasks.prune_plumbing", "schedule": crontab(hour=3, minute=10)},
}

QUEUES: dict[str, tuple[str, ...]] = {
    "money": (
        "apps.payments.tasks.reconcile_payments",
        "apps.ledger.tasks.expire_holds",
    ),
    "slow": (
        "apps.payments.tasks.audit_payments",
        "apps.shop.tasks.catalogue.watch_stock",
        "apps.shop.tasks.payments.compare_orders_with_money",
        "apps.accounts.tasks.watch_code_success",
        "apps.accounts.tasks.prune",
        "apps.core.tasks.prune_plumbing",
        "apps.ledger.tasks.audit_ledger",
        "apps.notifications.tasks.run_broadcasts",
        "apps.notifications.tasks.prune_notifications",
        "apps.urgent.tasks.orders.check_member_figures",
        "apps.tickets.tasks.photos.sweep_uploads",
        "apps.tickets.tasks.open311.forget_senders",
        "apps.florist.tasks.orders.complete_delivered_orders",
        "apps.florist.tasks.stock.watch_stock",
        "apps.florist.tasks.stock.check_stock",
        "apps.florist.tasks.customers.recount_buyers",
        "apps.florist.tasks.people.sweep_pictures",
        "apps.florist.tasks.people.forget_registrations",
        "apps.loyalty.tasks.iiko.reconcile_with_iiko",
        "apps.loyalty.tasks.iiko.prune_iiko",
        "apps.loyalty.tasks.announcements.withdraw_announcements",
    ),
    "sync": (
        "apps.urgent.tasks.orders.settle_due_orders",
        "apps.loyalty.tasks.iiko.run_iiko_jobs",
        "apps.loyalty.tasks.menu.refresh_menu",
        "apps.shop.tasks.orders.expire_unpaid_orders",
        "apps.tickets.tasks.clocks.sweep_clocks",
        "apps.florist.tasks.orders.release_unpaid_orders",
        "apps.florist.tasks.production.raise_late_tasks",
        "apps.florist.tasks.customers.make_standing_orders",
    ),
    "talk": (
        "apps.core.tasks.relay_outbox",
        "apps.notifications.tasks.deliver_due",
        "apps.urgent.tasks.talk.sweep_announcements",
        "apps.florist.tasks.customers.announce_dates",
    ),
}
"""Queue by kind of work → its tasks; a test wants every task in exactly one."""

ROUTES = {task: {"queue": queue} for queue, tasks in QUEUES.items() for task in tasks}
