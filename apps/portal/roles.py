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
        *("urgent.view_city", "urgent.refund_take", "urgent.block_member", "payments.view_payment"),
        "payments.view_refund",
        *("accounts.view_user", "ledger.view_account", "ledger.view_entry", "notifications.view_notification"),
    ),
    "Shop catalogue": (
        *("shop.view_category", "shop.add_category", "shop.change_category", "shop.delete_category"),
        *("shop.view_slipper", "shop.add_slipper", "shop.change_slipper", "shop.delete_slipper"),
        *("shop.view_slipperimage", "shop.change_slipperimage", "shop.delete_slipperimage", "shop.view_pricechange"),
        *("shop.edit_stock", "shop.import_slipper", "shop.export_slipper"),
    ),
    "City officer": (
        *("tickets.view_ticket", "tickets.view_escalation", "tickets.view_feedback", "tickets.view_team"),
        *("tickets.view_category", "tickets.view_district", "tickets.handle_ticket"),
    ),
    "City manager": (
        *("tickets.view_ticket", "tickets.view_escalation", "tickets.view_feedback"),
        *("tickets.view_team", "tickets.add_team", "tickets.change_team", "tickets.view_member"),
        *("tickets.view_category", "tickets.add_category", "tickets.change_category", "tickets.view_district"),
        *("tickets.view_slapolicy", "tickets.add_slapolicy", "tickets.change_slapolicy", "tickets.delete_slapolicy"),
        *("tickets.view_apikey", "tickets.handle_ticket", "tickets.decide_escalation", "tickets.manage_city"),
    ),
    "Restaurant manager": (
        *("loyalty.view_client", "loyalty.change_client", "loyalty.add_cashback", "loyalty.view_cashbacktransaction"),
        *("loyalty.view_card", "loyalty.view_staff", "loyalty.add_staff", "loyalty.change_staff"),
        *("loyalty.delete_staff", "loyalty.view_iikojob", "loyalty.view_iikonotice", "loyalty.view_iikoreconciliation"),
        *("loyalty.view_deletedphone", "loyalty.view_news", "loyalty.view_announcement", "loyalty.view_category"),
        *("loyalty.view_product", "loyalty.view_storedfile", "accounts.view_authlog", "notifications.view_device"),
        *("loyalty.export_client", "loyalty.export_cashbacktransaction"),
    ),
    "Restaurant cashier": (
        *("loyalty.view_client", "loyalty.view_cashbacktransaction", "loyalty.view_card"),
        *("loyalty.add_cashback", "loyalty.take_cashback"),
    ),
    "Restaurant editor": (
        *("loyalty.view_news", "loyalty.add_news", "loyalty.change_news", "loyalty.delete_news"),
        *("loyalty.view_announcement", "loyalty.add_announcement", "loyalty.change_announcement"),
        *("loyalty.delete_announcement", "notifications.view_broadcast", "notifications.change_broadcast"),
        *("loyalty.view_category", "loyalty.add_category", "loyalty.change_category", "loyalty.delete_category"),
        *("loyalty.view_product", "loyalty.add_product", "loyalty.change_product", "loyalty.delete_product"),
        *("loyalty.view_storedfile", "loyalty.delete_storedfile"),
    ),
    "Flower support": (
        *("florist.view_shop", "florist.view_employee", "florist.view_order", "florist.view_customer"),
        *("florist.view_standingorder", "florist.view_importantdate", "florist.view_product", "florist.change_product"),
        *("florist.view_flowercategory", "florist.view_material", "florist.view_batch", "florist.view_movement"),
        *("florist.view_supply", "florist.view_stockreservation", "florist.view_stocktransfer"),
        *("florist.view_showcasebouquet", "florist.view_productiontask", "florist.view_deliveryrun"),
        *("florist.view_deliveryattempt", "florist.view_courierday", "florist.handle_order", "florist.check_shop"),
        *("payments.view_payment", "payments.view_refund"),
    ),
    "Shop orders": (
        *("shop.view_order", "shop.view_orderitem", "shop.view_customer", "shop.advance_order", "shop.export_order"),
        *("shop.view_slipper", "shop.view_category", "payments.view_payment", "payments.view_refund"),
        *("payments.handle_payment", "notifications.view_notification"),
    ),
    "Shop manager": (
        *("shop.view_order", "shop.view_orderitem", "shop.view_customer", "shop.advance_order", "shop.export_order"),
        *("shop.override_order", "shop.view_finance", "shop.view_slipper", "shop.view_category"),
        *("payments.view_payment", "payments.view_refund", "payments.handle_payment", "payments.refund_payment"),
    ),
    "Finance": (
        *("ledger.view_account", "ledger.view_entry", "ledger.view_hold", "ledger.view_correction"),
        *("ledger.propose_correction", "ledger.approve_correction", "ledger.verify_account"),
        *("ledger.export_account", "ledger.export_entry", "ledger.export_hold", "ledger.export_correction"),
        "accounts.view_user",
        *("payments.view_payment", "payments.view_refund", "payments.view_paymentevent", "payments.view_attempt"),
        *("payments.refund_payment", "payments.handle_payment", "payments.export_payment", "payments.export_refund"),
        *("payments.view_gatewaykey", "shop.view_order", "shop.view_orderitem", "shop.view_finance"),
        "shop.export_order",
    ),
    "Operator": (
        *("core.view_outboxmessage", "core.change_outboxmessage", "core.view_webhookreceipt", "core.view_steplog"),
        *("notifications.view_notification", "notifications.view_broadcast", "urgent.view_city", "urgent.change_city"),
        *("notifications.view_delivery", "notifications.change_delivery", "notifications.view_device"),
        *("loyalty.view_iikojob", "loyalty.change_iikojob", "loyalty.view_iikonotice", "loyalty.change_iikonotice"),
        "loyalty.view_iikoreconciliation",
        "accounts.view_smsspend",
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
    return {**ROLES, AUDITOR: [*views, "shop.view_finance"]}


def establish() -> None:
    """Make the groups hold exactly these permissions. Raises `LookupError` when the table names an unknown one."""
    accounts.ensure_roles(table())
