"""`manage.py connect_florist_bot`: tell Telegram where the florists' webhook is (contract florist 3.17)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import Refused
from apps.florist.actions import bot
from apps.integrations.ports import VendorError


class Command(BaseCommand):
    """A bot has one webhook: run it only where the house's bot belongs to the florists. Running it again is free."""

    help = "Register PUBLIC_URL/florist/api/telegram/webhook with Telegram"

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            address = bot.connect()
        except Refused:
            raise CommandError("Set TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_SECRET first.") from None
        except VendorError as problem:
            raise CommandError(f"Telegram did not take it: {problem}") from problem
        self.stdout.write(f"Telegram sends updates to {address}")
