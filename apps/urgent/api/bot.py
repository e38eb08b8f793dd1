"""Telegram's updates for our bot (contract urgent 4.4)."""

from __future__ import annotations

from typing import Any

import orjson

from apps.core.errors import TooLarge
from apps.core.routing import path
from apps.core.wire import endpoint
from apps.integrations.ports import VendorError
from apps.urgent import errors
from apps.urgent.actions import bot
from apps.urgent.api.balance import NoticeOut, raw_body
from apps.urgent.api.base import UrgentView


class BotUpdate(UrgentView):
    """One update."""

    tag = "webhooks"

    @endpoint(
        summary="Telegram bot webhook",
        login="none",
        answers={200: NoticeOut},
        refusals=[errors.NoticeForged, errors.NoticeMalformed, errors.PaymentProviderFailed, TooLarge],
    )
    def post(self, request: Any) -> dict[str, bool]:
        """Proved by `X-Telegram-Bot-Api-Secret-Token`. Anything but 2xx makes Telegram send the update again."""
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        try:
            bot.receive(update=_parsed(raw_body(request)), secret=secret)
        except VendorError as problem:
            raise errors.PaymentProviderFailed() from problem
        return {"ok": True}


def _parsed(raw: bytes) -> Any:
    """The update, or nothing when it is not JSON: the secret is looked at first."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


urlpatterns = [
    path("api/bot/webhook", BotUpdate, name="bot-update"),
]
