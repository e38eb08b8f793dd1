"""`manage.py seed_categories`: the six kinds of trouble that every city begins with (contract tickets 2, 5)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.tickets.actions import categories


class Command(BaseCommand):
    help = "Add the six reference categories of the tickets; those that exist are left alone."

    def handle(self, *args: Any, **options: Any) -> None:
        made = categories.ensure_reference()
        self.stdout.write(f"{made} categories added")
