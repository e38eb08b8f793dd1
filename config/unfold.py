"""The back office's menu, colours and hooks: data only. Who sees which row: `portal.backoffice`."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

MENU: list[dict[str, Any]] = [
    {
        "title": _("Online shop"),
        "items": [
            {
                "title": _("Orders"),
                "icon": "shopping_bag",
                "model": "shop.order",
                "badge": "apps.portal.backoffice.orders_to_prepare",
            },
            {
                "title": _("Finance"),
                "icon": "monitoring",
                "model": "shop.order",
                "page": "admin:shop_finance",
                "right": "shop.view_finance",
            },
            {"title": _("Products"), "icon": "steps", "model": "shop.slipper"},
            {"title": _("Categories"), "icon": "shelves", "model": "shop.category"},
            {"title": _("Prices"), "icon": "price_change", "model": "shop.pricechange"},
            {"title": _("Customers"), "icon": "group", "model": "shop.customer"},
        ],
    },
    {
        "title": _("Urgent services"),
        "items": [
            {"title": _("Orders"), "icon": "bolt", "model": "urgent.order"},
            {"title": _("Analytics"), "icon": "monitoring", "model": "urgent.order", "page": "admin:urgent_analytics"},
            {"title": _("Takes"), "icon": "handshake", "model": "urgent.take"},
            {"title": _("Members"), "icon": "group", "model": "urgent.member"},
            {"title": _("Reviews"), "icon": "star", "model": "urgent.review"},
            {
                "title": _("Complaints"),
                "icon": "flag",
                "model": "urgent.complaint",
                "badge": "apps.portal.backoffice.open_complaints",
            },
            {"title": _("Cities"), "icon": "location_city", "model": "urgent.city"},
        ],
    },
    {
        "title": _("Restaurant cashback"),
        "items": [
            {"title": _("Guests"), "icon": "group", "model": "loyalty.client"},
            {"title": _("Movements"), "icon": "savings", "model": "loyalty.cashbacktransaction"},
            {
                "title": _("Figures"),
                "icon": "monitoring",
                "model": "loyalty.cashbacktransaction",
                "page": "admin:loyalty_figures",
            },
            {"title": _("Staff"), "icon": "badge", "model": "loyalty.staff"},
            {"title": _("Cards"), "icon": "loyalty", "model": "loyalty.card"},
            {
                "title": _("iiko jobs"),
                "icon": "sync",
                "model": "loyalty.iikojob",
                "badge": "apps.portal.backoffice.paused_iiko_jobs",
            },
            {
                "title": _("iiko notices"),
                "icon": "webhook",
                "model": "loyalty.iikonotice",
                "badge": "apps.portal.backoffice.parked_iiko_notices",
            },
            {"title": _("Comparison with iiko"), "icon": "balance", "model": "loyalty.iikoreconciliation"},
            {"title": _("News"), "icon": "newspaper", "model": "loyalty.news"},
            {"title": _("Announcements"), "icon": "campaign", "model": "loyalty.announcement"},
            {"title": _("Dishes"), "icon": "restaurant_menu", "model": "loyalty.product"},
            {"title": _("Menu shelves"), "icon": "shelves", "model": "loyalty.category"},
            {"title": _("Pictures"), "icon": "image", "model": "loyalty.storedfile"},
            {"title": _("Deleted phones"), "icon": "phone_disabled", "model": "loyalty.deletedphone"},
        ],
    },
    {
        "title": _("Neighbourhood issues"),
        "items": [
            {"title": _("Tickets"), "icon": "report", "model": "tickets.ticket"},
            {"title": _("Map"), "icon": "map", "model": "tickets.ticket", "page": "admin:tickets_map"},
            {"title": _("Boards"), "icon": "view_kanban", "model": "tickets.ticket", "page": "admin:tickets_board"},
            {
                "title": _("Escalations"),
                "icon": "gavel",
                "model": "tickets.escalation",
                "badge": "apps.portal.backoffice.waiting_escalations",
            },
            {"title": _("Figures"), "icon": "monitoring", "model": "tickets.ticket", "page": "admin:tickets_figures"},
            {"title": _("Marks"), "icon": "star", "model": "tickets.feedback"},
            {"title": _("Teams"), "icon": "groups", "model": "tickets.team"},
            {"title": _("Members"), "icon": "group", "model": "tickets.member"},
            {"title": _("Categories"), "icon": "category", "model": "tickets.category"},
            {"title": _("Promises"), "icon": "timer", "model": "tickets.slapolicy"},
            {"title": _("Districts"), "icon": "location_city", "model": "tickets.district"},
            {"title": _("Open311 keys"), "icon": "key", "model": "tickets.apikey"},
        ],
    },
    {
        "title": _("Flower shops"),
        "items": [
            {
                "title": _("Orders"),
                "icon": "local_florist",
                "model": "florist.order",
                "badge": "apps.portal.backoffice.flower_orders_with_problems",
            },
            {
                "title": _("Figures"),
                "icon": "monitoring",
                "model": "florist.order",
                "page": "admin:florist_figures",
                "right": "florist.handle_order",
            },
            {"title": _("Shops"), "icon": "storefront", "model": "florist.shop"},
            {"title": _("Employees"), "icon": "badge", "model": "florist.employee"},
            {"title": _("Buyers"), "icon": "group", "model": "florist.customer"},
            {"title": _("Standing orders"), "icon": "event_repeat", "model": "florist.standingorder"},
            {"title": _("Products"), "icon": "redeem", "model": "florist.product"},
            {"title": _("Stock"), "icon": "inventory_2", "model": "florist.batch"},
            {
                "title": _("Data checks"),
                "icon": "rule",
                "model": "florist.batch",
                "page": "admin:florist_batch_faults",
                "right": "florist.check_shop",
            },
            {"title": _("Movements of stock"), "icon": "swap_vert", "model": "florist.movement"},
            {"title": _("Supplies"), "icon": "local_shipping", "model": "florist.supply"},
            {"title": _("Tasks"), "icon": "task_alt", "model": "florist.productiontask"},
            {"title": _("Couriers' runs"), "icon": "route", "model": "florist.deliveryrun"},
            {"title": _("Couriers' days"), "icon": "payments", "model": "florist.courierday"},
        ],
    },
    {
        "title": _("Money"),
        "items": [
            {
                "title": _("Payments"),
                "icon": "credit_card",
                "model": "payments.payment",
                "badge": "apps.portal.backoffice.payments_to_look_at",
            },
            {
                "title": _("Daily report"),
                "icon": "monitoring",
                "model": "payments.payment",
                "page": "admin:payments_report",
            },
            {"title": _("Refunds"), "icon": "undo", "model": "payments.refund"},
            {"title": _("Gateway notices"), "icon": "webhook", "model": "payments.paymentevent"},
            {"title": _("Gateway transactions"), "icon": "swap_horiz", "model": "payments.attempt"},
            {"title": _("Gateway keys"), "icon": "key", "model": "payments.gatewaykey"},
            {"title": _("Accounts"), "icon": "account_balance_wallet", "model": "ledger.account"},
            {"title": _("Entries"), "icon": "menu_book", "model": "ledger.entry"},
            {"title": _("Holds"), "icon": "lock_clock", "model": "ledger.hold"},
            {
                "title": _("Corrections"),
                "icon": "edit_note",
                "model": "ledger.correction",
                "badge": "apps.portal.backoffice.proposed_corrections",
            },
        ],
    },
    {
        "title": _("People"),
        "items": [
            {"title": _("People"), "icon": "person", "model": "accounts.user"},
            {"title": _("Roles"), "icon": "badge", "model": "auth.group"},
            {"title": _("Sign-in log"), "icon": "login", "model": "accounts.authlog"},
            {"title": _("Sessions"), "icon": "devices", "model": "accounts.session"},
            {"title": _("One-time codes"), "icon": "pin", "model": "accounts.onetimecode"},
            {"title": _("Mail links"), "icon": "link", "model": "accounts.mailtoken"},
            {"title": _("Lock-outs"), "icon": "lock", "model": "axes.accessattempt"},
            {"title": _("Merges"), "icon": "merge", "model": "accounts.merge"},
            {"title": _("SMS spending"), "icon": "sms", "model": "accounts.smsspend"},
        ],
    },
    {
        "title": _("Messages"),
        "items": [
            {"title": _("Inbox"), "icon": "notifications", "model": "notifications.notification"},
            {"title": _("Deliveries"), "icon": "send", "model": "notifications.delivery"},
            {"title": _("Broadcasts"), "icon": "campaign", "model": "notifications.broadcast"},
            {"title": _("Devices"), "icon": "smartphone", "model": "notifications.device"},
        ],
    },
    {
        "title": _("House"),
        "items": [
            {
                "title": _("Outbox"),
                "icon": "outbox",
                "model": "core.outboxmessage",
                "badge": "apps.portal.backoffice.dead_letters",
            },
            {"title": _("Steps"), "icon": "timeline", "model": "core.steplog"},
            {"title": _("Vendor notices"), "icon": "webhook", "model": "core.webhookreceipt"},
        ],
    },
]
"""Groups of the menu in their order. A row names the table whose right it needs (or another `right`) and whose list it
opens (or another `page`), and a badge where something may wait."""


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Mahalla",
    "SITE_HEADER": "Mahalla",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("icons/mahalla.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("icons/mahalla.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "apps.portal.backoffice.environment",
    "DASHBOARD_CALLBACK": "apps.portal.dashboard.show",
    "STYLES": [lambda request: static("css/admin.css")],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(60% .118 184.704)",
            "700": "oklch(51.1% .096 186.391)",
            "800": "oklch(43.7% .078 188.216)",
            "900": "oklch(38.6% .063 188.416)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
    "COMMAND": {"search_models": False, "search_callback": "apps.portal.backoffice.search", "show_history": True},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "apps.portal.backoffice.menu",
    },
    "MENU": MENU,
}
