"""Run every job of the schedule once: for cron, where neither beat nor the embedded server runs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.portal import ticking


class Command(BaseCommand):
    help = "Run every periodic job once, in place, and say how each went."

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = ticking.run_all()
        for name, worked in outcome.items():
            self.stdout.write(f"{'✓' if worked else '✗'} {name}")
        if failed := [name for name, worked in outcome.items() if not worked]:
            raise CommandError(f"{len(failed)} of {len(outcome)} jobs failed; the log says why: {', '.join(failed)}")
