"""The vendors of these tests: one configured account each, on loopback, on their first day."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler

from apps.integrations import http, ports
from apps.integrations.conf import DEMO_VAPID_PRIVATE_KEY, DEMO_VAPID_PUBLIC_KEY, Integrations
from apps.integrations.sandbox import vendors

CONF = Integrations(
    sandbox_url="http://127.0.0.1:9",
    telegram_bot_token="123456:TEST",
    telegram_bot_username="mahalla_bot",
    telegram_api_base="http://127.0.0.1:9/__sandbox/telegram",
    telegram_webhook_secret="hook-secret",
    crypto_bot_api_token="123:AAtoken",
    crypto_bot_api_base="http://127.0.0.1:9/__sandbox/cryptobot",
    yukassa_shop_id="54401",
    yukassa_secret_key="test_yukassa-key",
    yukassa_api_base="http://127.0.0.1:9/__sandbox/yukassa",
    eskiz_email="shop@example.com",
    eskiz_password="eskiz-password",
    eskiz_base_url="http://127.0.0.1:9/__sandbox/eskiz",
    eskiz_callback_secret="eskiz-secret",
    playmobile_login="mahalla",
    playmobile_password="play-password",
    playmobile_base_url="http://127.0.0.1:9/__sandbox/playmobile",
    twilio_account_sid="AC00000000000000000000000000000001",
    twilio_auth_token="12345",
    twilio_from_number="+15005550006",
    twilio_base_url="http://127.0.0.1:9/__sandbox/twilio",
    fcm_project_id="mahalla-test",
    fcm_base_url="http://127.0.0.1:9/__sandbox/fcm",
    vapid_public_key=DEMO_VAPID_PUBLIC_KEY,
    vapid_private_key=DEMO_VAPID_PRIVATE_KEY,
    vapid_subject="mailto:push@example.com",
    octo_shop_id="77",
    octo_secret="octo-secret",
    octo_unique_key="unique-key-123",
    octo_api_base="http://127.0.0.1:9/__sandbox/octo",
    octo_notify_url="http://127.0.0.1:9/heard/octo",
    payme_merchant_id="merchant",
    payme_key="payme-key",
    payme_checkout_base="http://127.0.0.1:9/__sandbox/payme/checkout",
    click_service_id="777",
    click_merchant_id="778",
    click_merchant_user_id="779",
    click_secret_key="SECRET",
    click_pay_base="http://127.0.0.1:9/__sandbox/click",
    click_api_base="http://127.0.0.1:9/__sandbox/click/v2/merchant",
    iiko_api_login="iiko-login",
    iiko_organization_id="organization-1",
    iiko_api_base="http://127.0.0.1:9/__sandbox/iiko",
    iiko_webhook_secret="iiko-password",
    menu_api_url="http://127.0.0.1:9/__sandbox/myresto/main/api/v1/menu",
    menu_gijduvon_api_url="http://127.0.0.1:9/__sandbox/myresto/gijduvon/api/v1/menu",
    stop_list_api_url="http://127.0.0.1:9/__sandbox/myresto/main/api/v1/menu/stop-lists",
    stop_list_gijduvon_api_url="http://127.0.0.1:9/__sandbox/myresto/gijduvon/api/v1/menu/stop-lists",
)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """wsgiref would print every request."""


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """A client that hangs up early is part of these tests."""


@pytest.fixture
def outside() -> Iterator[Callable[[Any], str]]:
    """Serve any WSGI application on loopback; gives its base address."""
    running = []

    def serve(application: Any) -> str:
        server = make_server("127.0.0.1", 0, application, server_class=_Threads, handler_class=_Quiet)
        running.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def first_day(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh vendors and adapters, one account each, and no pauses between repeats."""
    settings.INTEGRATIONS = CONF
    settings.SANDBOX_ENABLED = True
    settings.SANDBOX_WEBHOOKS = {}
    settings.ROOT_URLCONF = "apps.integrations.tests.urls"
    settings.MIDDLEWARE = []
    monkeypatch.setattr(http, "FIRST_PAUSE_S", 0.001)
    ports.reset()
    vendors.reset()


@pytest.fixture
def change(settings: Any) -> Callable[..., None]:
    """Put a changed copy of the vendors' settings in place."""

    def put(**fields: Any) -> None:
        settings.INTEGRATIONS = replace(settings.INTEGRATIONS, **fields)

    return put


@pytest.fixture
def sandbox(outside: Callable[[Any], str], change: Callable[..., None]) -> str:
    """The sandbox over real HTTP, with every vendor's base pointing at it; gives its address."""
    base = outside(WSGIHandler())
    change(
        sandbox_url=base,
        telegram_api_base=f"{base}/__sandbox/telegram",
        crypto_bot_api_base=f"{base}/__sandbox/cryptobot",
        yukassa_api_base=f"{base}/__sandbox/yukassa",
        eskiz_base_url=f"{base}/__sandbox/eskiz",
        playmobile_base_url=f"{base}/__sandbox/playmobile",
        twilio_base_url=f"{base}/__sandbox/twilio",
        fcm_base_url=f"{base}/__sandbox/fcm",
        octo_api_base=f"{base}/__sandbox/octo",
        octo_notify_url=f"{base}/webhook",
        payme_checkout_base=f"{base}/__sandbox/payme/checkout",
        click_pay_base=f"{base}/__sandbox/click",
        click_api_base=f"{base}/__sandbox/click/v2/merchant",
        iiko_api_base=f"{base}/__sandbox/iiko",
        menu_api_url=f"{base}/__sandbox/myresto/main/api/v1/menu",
        menu_gijduvon_api_url=f"{base}/__sandbox/myresto/gijduvon/api/v1/menu",
        stop_list_api_url=f"{base}/__sandbox/myresto/main/api/v1/menu/stop-lists",
        stop_list_gijduvon_api_url=f"{base}/__sandbox/myresto/gijduvon/api/v1/menu/stop-lists",
    )
    return base
