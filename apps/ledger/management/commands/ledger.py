"""`manage.py ledger verify`: prove that the books are true."""

from __future__ import annotations

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand

from apps.ledger import queries


class Command(BaseCommand):
    """Says which rows are broken and exits with 1, or says that all is well."""

    help = "verify: recompute every hash and balance; exit code 1 names the broken rows"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("deed", choices=["verify"])
        parser.add_argument("--account", type=int, help="only the account with this id")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        report = queries.audit(account_id=options["account"])
        for fault in report.faults:
            self.stderr.write(self.style.ERROR(str(fault)))
        for currency, total in report.sums.items():
            self.stdout.write(f"{currency}: all entries sum to {total}")
        seconds = time.monotonic() - started
        seen = f"{report.entry_count} entries of {report.account_count} accounts in {seconds:.1f} s"
        if not report.is_clean:
            self.stderr.write(self.style.ERROR(f"{report.fault_count} faults in {seen}"))
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS(f"The books are true: {seen}"))
