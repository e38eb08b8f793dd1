"""`/__sandbox/…`; mounted by `config/urls.py` only while `settings.SANDBOX_ENABLED`."""

from __future__ import annotations

from django.urls import path, re_path

from apps.integrations.sandbox import card_pages, views

app_name = "sandbox"

urlpatterns = [
    path("", views.index, name="index"),
    re_path(r"^messages/?$", views.messages, name="messages"),
    re_path(r"^clear/?$", views.clear, name="clear"),
    path("telegram/init-data", views.init_data, name="init-data"),
    path("telegram/pay/<str:slug>", views.stars_page, name="stars-pay"),
    path("cryptobot/pay/<str:code>", views.crypto_page, name="crypto-pay"),
    path("octo/pay/<str:number>", card_pages.octo_page, name="octo-pay"),
    path("payme/checkout/<path:token>", card_pages.payme_page, name="payme-pay"),
    path("click/services/pay", card_pages.click_page, name="click-pay"),
    path("yukassa/pay/<str:code>", views.yukassa_page, name="yukassa-pay"),
    path("<slug:vendor>/control/<slug:verb>", views.vendor_control, name="control"),
    path("<slug:vendor>", views.vendor_api, name="vendor-root"),
    path("<slug:vendor>/<path:rest>", views.vendor_api, name="vendor"),
]
