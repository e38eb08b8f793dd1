"""`manage.py make_shop_admin NAME`: the first administrator of the shop; nobody becomes one through the API (D1)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.shop.actions import customers
from apps.shop.queries import customers as questions


class Command(BaseCommand):
    """Gives a registered customer the shop's administration, or takes it away."""

    help = "Make a registered customer (name, phone or e-mail) an administrator of the shop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("who", help="Name, phone or e-mail that the customer signs in with")
        parser.add_argument("--revoke", action="store_true", help="Take the rights away")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = questions.called(options["who"])
        if customer is None:
            raise CommandError("There is no such customer")
        customers.set_admin(by=None, customer=customer, is_admin=not options["revoke"], reason="command line")
        self.stdout.write(f"customer {customer.pk}: {'buyer' if options['revoke'] else 'administrator'}")
