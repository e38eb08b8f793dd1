"""Walk through a product of a running server as its clients do; stop at the first mismatch."""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.portal import driving, products


def products_with_journeys() -> list[str]:
    """Mounted products that have a `journey` module."""
    return [product.base for product in products.mounted() if find_spec(f"apps.{product.base}.journey")]


class Command(BaseCommand):
    help = "Drive a running server over HTTP and WebSocket, print each step, exit 1 at the first mismatch."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("product", choices=products_with_journeys())
        parser.add_argument("--base", default=f"http://127.0.0.1:{settings.PORT}", help="address of the running server")
        parser.add_argument("--sandbox", default="", help="address of the vendors' sandbox, if it is another server")

    def handle(self, *args: Any, product: str, base: str, sandbox: str, **options: Any) -> None:
        logging.getLogger("apps.integrations").setLevel(logging.WARNING)
        # The embedded server is its own sandbox, whatever PORT this process was given.
        sandbox = sandbox or (base if settings.EMBEDDED else settings.INTEGRATIONS.sandbox_url or base)
        driving.let_out(base, sandbox)
        client = driving.Client(base=base, sandbox=sandbox, product=product, say=self._say)
        try:
            import_module(f"apps.{product}.journey").run(client)
        except driving.Mismatch as mismatch:
            raise CommandError(f"The journey of {product} ended after {client.steps_count} steps. {mismatch}") from None
        self.stdout.write(self.style.SUCCESS(f"{client.steps_count} steps of {product}, all as expected."))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
