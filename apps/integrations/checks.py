"""What a production start refuses in the vendors' settings.

`integrations` is no Django app, so whoever registers the house's checks calls `problems(settings)`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import Error

from apps.integrations import http
from apps.integrations.conf import DEMO_SECRETS, FAKE_PORTS, REAL_PORTS, SMS_ADAPTERS, Integrations

NEVER_IN_PRODUCTION = {*FAKE_PORTS.values(), SMS_ADAPTERS["console"]} - {*REAL_PORTS.values()}
BASES = tuple(field.name for field in fields(Integrations) if field.name.endswith(("_base", "_base_url")))
LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")


def problems(settings: Any) -> list[Error]:
    """integrations.E001–E009, none in embedded mode: fakes, sandbox, private bases, demo secrets, missing proofs."""
    if settings.EMBEDDED:
        return []
    conf = settings.INTEGRATIONS
    return [
        *_fakes(settings),
        *_sandbox(settings, conf),
        *_bases(conf),
        *_demo_secrets(conf),
        *_missing(settings, conf),
    ]


def _fakes(settings: Any) -> Iterator[Error]:
    for name, path in settings.PORTS.items():
        if path in NEVER_IN_PRODUCTION or path.rpartition(".")[2].startswith("Fake"):
            hint = (
                "Set SMS_PROVIDER to eskiz, playmobile or twilio."
                if name == "sms"
                else "Name the real adapter in PORTS."
            )
            yield Error(f"the {name} port is a fake ({path})", hint=hint, id="integrations.E001")


def _sandbox(settings: Any, conf: Integrations) -> Iterator[Error]:
    if settings.SANDBOX_ENABLED:
        yield Error("the vendors' sandbox is on", hint="Unset SANDBOX_ENABLED.", id="integrations.E002")
    if conf.http_allowed_private:
        yield Error("HTTP_ALLOWED_PRIVATE lets calls into the inner network", hint="Unset it.", id="integrations.E003")


def _bases(conf: Integrations) -> Iterator[Error]:
    for name in BASES:
        parts = urlsplit(getattr(conf, name))
        if parts.scheme != "https" or is_private_name(parts.hostname or ""):
            yield Error(
                f"{name.upper()} is not a public https address",
                hint="Unset it to use the vendor's own.",
                id="integrations.E004",
            )


def _demo_secrets(conf: Integrations) -> Iterator[Error]:
    for field in fields(conf):
        if getattr(conf, field.name) in DEMO_SECRETS:
            yield Error(f"{field.name.upper()} is the demo value", hint="Set your own.", id="integrations.E005")


def _missing(settings: Any, conf: Integrations) -> Iterator[Error]:
    """Half a configuration fails at the worst moment: at the first message or the first payment."""
    needed = {
        "apps.integrations.eskiz.Eskiz": ("eskiz_email", "eskiz_password"),
        "apps.integrations.playmobile.PlayMobile": ("playmobile_login", "playmobile_password"),
        "apps.integrations.twilio.Twilio": ("twilio_account_sid", "twilio_auth_token", "twilio_from_number"),
    }
    for name in needed.get(settings.PORTS.get("sms", ""), ()):
        if not getattr(conf, name):
            yield Error(f"{name.upper()} is missing", hint="The chosen SMS provider needs it.", id="integrations.E006")
    if bool(conf.eskiz_callback_url) != bool(conf.eskiz_callback_secret):
        hint = "The address and the secret at its end go together."
        yield Error("ESKIZ_CALLBACK_URL or ESKIZ_CALLBACK_SECRET is missing", hint=hint, id="integrations.E006")
    if conf.octo_secret and conf.octo_signature_scheme != "pull" and not conf.octo_unique_key:
        yield Error(
            "OCTO_UNIQUE_KEY is missing",
            hint="Without it every notice is refused; or set OCTO_SIGNATURE_SCHEME=pull.",
            id="integrations.E008",
        )
    if bool(conf.yukassa_shop_id) != bool(conf.yukassa_secret_key):
        hint = "A shop id and its key go together."
        yield Error("YUKASSA_SHOP_ID or YUKASSA_SECRET_KEY is missing", hint=hint, id="integrations.E006")
    if conf.iiko_api_login and not conf.iiko_webhook_secret:
        hint = "Without it anybody can move a guest's cashback; set the same subscription password in iiko."
        yield Error("IIKO_WEBHOOK_SECRET is missing", hint=hint, id="integrations.E009")
    if conf.telegram_bot_token and not conf.telegram_webhook_secret:
        yield Error(
            "TELEGRAM_WEBHOOK_SECRET is missing", hint="Without it every update is refused.", id="integrations.E007"
        )


def is_private_name(host: str) -> bool:
    """Whether a host is plainly not on the open internet; names are not looked up here (start-up must not need DNS)."""
    try:
        return not http.is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return not host or "." not in host or host.endswith(LOCAL_NAMES)
