"""Who among the staff may do what: roles as groups with the least rights that their work needs."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps

from apps.accounts import actions as accounts

HOUSE_APPS = (
    "core",
    "accounts",
    "ledger",
    "notifications",
    "payments",
    "shop",
    "urgent",
    "loyalty",
    "tickets",
    "florist",
)

ROLES: dict[str, tuple[str, ...]] = {
    "Urgent moderator": (
        *("urgent.view_order", "urgent.view_take", "urgent.view_member", "urgent.view_review", "urgent.view_complaint"),
        "urgent.moderate",
    ),
    "Urgent support": (
        *("urgent.view_order", "urgent.view_take", "urgent.view_member", "urgent.view_review", "urgent.view_complaint"),
        *("urgent.view_invoice", "urgent.view_straypayment", "urgent.view_city"),
        *("urgent.refund_take", "urgent.handle_payments", "urgent.block_member"),
        *("accounts.view_user", "ledger.view_account", "ledger.view_entry", "notifications.view_notification"),
    ),
    "Shop catalogue": (
        *("shop.view_category", "shop.add_category", "shop.change_category", "shop.delete_category"),
        *("shop.view_slipper", "shop.add_slipper", "shop.change_slipper", "shop.delete_slipper"),
        *("shop.view_slipperimage", "shop.change_slipperimage", "shop.delete_slipperimage", "shop.view_pricechange"),
        *("shop.edit_stock", "shop.import_slipper", "shop.export_slipper"),
    ),
    "Finance": (
        *("ledger.view_account", "ledger.view_entry", "ledger.view_hold", "ledger.view_correction"),
        *("ledger.propose_correction", "ledger.approve_correction", "ledger.verify_account"),
        *("ledger.export_account", "ledger.export_entry", "ledger.export_hold", "ledger.export_correction"),
        *("urgent.view_invoice", "urgent.view_straypayment", "accounts.view_user"),
        *("payments.view_payment", "payments.view_refund", "payments.view_paymentevent", "payments.view_attempt"),
        *("payments.refund_payment", "payments.handle_payment", "payments.export_payment", "payments.export_refund"),
    ),
    "Operator": (
        *("core.view_outboxmessage", "core.change_outboxmessage", "core.view_webhookreceipt", "core.view_steplog"),
        *("notifications.view_notification", "notifications.view_broadcast", "urgent.view_city", "urgent.change_city"),
        *("notifications.view_delivery", "notifications.change_delivery", "notifications.view_device"),
    ),
    "Broadcaster": (
        *("notifications.view_broadcast", "notifications.add_broadcast", "notifications.change_broadcast"),
        "notifications.view_delivery",
    ),
    "House admin": (
        *(
            "accounts.view_user",
            "accounts.change_user",
            "accounts.add_user",
            "accounts.block_user",
            "accounts.merge_user",
        ),
        *("accounts.erase_user", "auth.view_group"),
        *("urgent.view_order", "urgent.view_member", "urgent.block_member", "core.view_steplog"),
        *("shop.view_customer", "shop.make_admin"),
    ),
}
"""Role → permissions. A correction still needs two different people (contract of `ledger.actions.correct`)."""

AUDITOR = "Auditor"
"""Sees every table of the house and changes none."""


def table() -> dict[str, Iterable[str]]:
    """Every role with its permissions, the auditor's computed from the tables there are."""
    views = [
        f"{model._meta.app_label}.view_{model._meta.model_name}"
        for label in HOUSE_APPS
        if apps.is_installed(f"apps.{label}")
        for model in apps.get_app_config(label).get_models()
    ]
    return {**ROLES, AUDITOR: views}


def establish() -> None:
    """Make the groups hold exactly these permissions. Raises `LookupError` when the table names an unknown one."""
    accounts.ensure_roles(table())
