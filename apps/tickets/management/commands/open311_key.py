"""`manage.py open311_key NAME --member ID`: a key for a programme that reports through Open311."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import Refused
from apps.tickets.actions import open311
from apps.tickets.queries import members


class Command(BaseCommand):
    """Prints the key once; only its hash is kept."""

    help = "Make a key for a programme that reports through Open311; its tickets are reported by the member."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--member", required=True, help="id of the member in whose name it reports")

    def handle(self, *args: Any, **options: Any) -> None:
        member = members.living(options["member"])
        if member is None:
            raise CommandError("no such member")
        try:
            _, words = open311.issue_key(by=None, name=options["name"], member=member)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(words)
