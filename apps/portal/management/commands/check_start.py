"""What every server asks before it serves: safe settings, a database that is ready, no sample people."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.portal import demo


class Command(BaseCommand):
    help = "Refuse to start with unsafe settings, a database that is behind, or sample people in production."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("check", verbosity=0)
        self._ensure_database()
        if not settings.EMBEDDED:
            self._ensure_no_demo()
        self.stdout.write("Ready to start.")

    def _ensure_database(self) -> None:
        try:
            executor = MigrationExecutor(connection)
        except OperationalError as problem:
            raise CommandError(
                "The database does not answer. Check DATABASE_URL and that the server runs."
            ) from problem
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("The database is behind the code. Run `manage.py migrate` first.")

    def _ensure_no_demo(self) -> None:
        if found := demo.people_with_the_demo_password():
            raise CommandError(
                f"Sample people with the published password are in this database: {', '.join(found)}. "
                "Delete them or change their passwords (`manage.py changepassword NAME`): production does not start so."
            )
