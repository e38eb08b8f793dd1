"""The back office's menu, colours and hooks: data only. Who sees which row: `portal.backoffice`."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

MENU: list[dict[str, Any]] = [
    {
        "title": _("Online shop"),
        "items": [
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
            {
                "title": _("Invoices"),
                "icon": "receipt_long",
                "model": "urgent.invoice",
                "badge": "apps.portal.backoffice.invoices_to_look_at",
            },
            {"title": _("Stray payments"), "icon": "currency_exchange", "model": "urgent.straypayment"},
            {"title": _("Cities"), "icon": "location_city", "model": "urgent.city"},
        ],
    },
    {
        "title": _("Money"),
        "items": [
            {"title": _("Payments"), "icon": "credit_card", "model": "payments.payment"},
            {
                "title": _("Daily report"),
                "icon": "monitoring",
                "model": "payments.payment",
                "page": "admin:payments_report",
            },
            {"title": _("Refunds"), "icon": "undo", "model": "payments.refund"},
            {"title": _("Gateway notices"), "icon": "webhook", "model": "payments.paymentevent"},
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
"""Groups of the menu in their order. A row names the table whose right it needs and whose list it opens (or another
`page`), and a badge where something may wait."""


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
