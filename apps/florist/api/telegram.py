"""Telegram's updates for the florists' bot (contract florist 1.1, 3.17)."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig

from apps.core.errors import TooLarge
from apps.core.routing import path
from apps.core.wire import DEEPEST_JSON, Shape, endpoint
from apps.florist import errors
from apps.florist.actions import bot
from apps.florist.api.base import FloristView

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
LARGEST_UPDATE = 2**20


class UpdateTaken(Shape):
    """UpdateTaken in; the bot's answer, when it has one, is a call of a Bot API method."""

    ok: bool = True
    method: str | None = None


class WebhookStatus(Shape):
    """Whether the bot can hear us."""

    status: str
    url: str | None
    pending_update_count: int | None
    last_error_date: int | None
    last_error_message: str | None


class BotUpdate(FloristView):
    """One update."""

    tag = "telegram"

    @endpoint(
        summary="Telegram bot webhook",
        answers={200: UpdateTaken},
        refusals=[errors.UpdateForged, errors.UpdateMalformed, TooLarge],
    )
    def post(self, request: Any) -> dict[str, Any]:
        """Proved by `X-Telegram-Bot-Api-Secret-Token`; a repeat of an update changes nothing."""
        secret = request.headers.get(SECRET, "")
        bot.ensure_genuine(secret)
        return bot.receive(update=_parsed(request), secret=secret) or {"ok": True}


def _parsed(request: Any) -> Any:
    """The update, or nothing when it is not one."""
    try:
        raw = request.body
        if len(raw) > LARGEST_UPDATE or raw.count(b"{") + raw.count(b"[") > DEEPEST_JSON * 10:
            raise TooLarge(megabytes=1)
        return orjson.loads(raw)
    except RequestDataTooBig as problem:
        raise TooLarge(megabytes=1) from problem
    except orjson.JSONDecodeError:
        return None


class Webhook(FloristView):
    """State of the webhook."""

    tag = "telegram"
    needs = ("users", "write")

    @endpoint(
        summary="State of the webhook",
        login="required",
        answers={200: WebhookStatus},
        refusals=[errors.NotEnoughPermissions],
    )
    def get(self, request: Any) -> dict[str, Any]:
        """What we have told Telegram, and what it says of it; nulls while it does not answer."""
        return bot.webhook_status()


urlpatterns = [
    path("api/telegram/webhook", BotUpdate, name="telegram-webhook"),
    path("api/telegram/webhook/status", Webhook, name="telegram-webhook-status"),
]
