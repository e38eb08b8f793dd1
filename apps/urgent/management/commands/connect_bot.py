"""`manage.py connect_bot`: tell Telegram where our webhook is (contract urgent 4.4)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.integrations.ports import VendorError, port

PATH = "/urgent/api/bot/webhook"


class Command(BaseCommand):
    """Run once after a deploy that changed the address, the bot or the secret; running it again is free."""

    help = "Register PUBLIC_URL/urgent/api/bot/webhook with Telegram, proved by TELEGRAM_WEBHOOK_SECRET"

    def handle(self, *args: Any, **options: Any) -> None:
        secret = settings.INTEGRATIONS.telegram_webhook_secret
        if not (settings.INTEGRATIONS.telegram_bot_token and secret):
            raise CommandError("Set TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_SECRET first.")
        address = settings.PUBLIC_URL.rstrip("/") + PATH
        try:
            port("bot").set_webhook(url=address, secret=secret)
        except VendorError as problem:
            raise CommandError(f"Telegram did not take it: {problem}") from problem
        self.stdout.write(f"Telegram sends updates to {address}")
