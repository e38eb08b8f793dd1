"""Load sample data that shows every screen. Running it again adds nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.portal import seeding


class Command(BaseCommand):
    help = "Sample staff and sample data of every product. Refuses a production database unless --force-demo."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force-demo", action="store_true", help="seed a database that is not the embedded one")

    def handle(self, *args: Any, force_demo: bool, **options: Any) -> None:
        if not settings.EMBEDDED and not force_demo:
            raise CommandError(
                "This is not the embedded mode: sample people with a published password would land in a real database. "
                "If it is meant for a demonstration, add --force-demo; a production start will refuse them."
            )
        hired = seeding.staff()
        self.stdout.write(f"staff: {', '.join(hired) or 'already there'}")
        for product in seeding.products_with_samples():
            self.stdout.write(f"{product}: {seeding.plant(product)}")
