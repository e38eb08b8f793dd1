"""Files for a spreadsheet, which the web client offers as buttons (contract loyalty 1.7)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from django.http import HttpResponse
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty.api.base import ManagerView
from apps.loyalty.queries import reports

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads Cyrillic names as another alphabet."""

Rows = Iterator[Sequence[Any]]
Kind = Literal["csv", "xlsx"]
FILES: Mapping[int | tuple[int, str], Any] = {(200, CSV): bytes, (200, XLSX): bytes}


class Export(Shape):
    """Which kind of file."""

    format: Kind = "csv"


def as_csv(first: Sequence[str], rows: Rows) -> bytes:
    """Lines with commas."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([first, *rows])
    return (BYTE_ORDER_MARK + written.getvalue()).encode()


def as_xlsx(first: Sequence[str], rows: Rows) -> bytes:
    """One sheet, written row by row; control characters, which the format forbids, are left out."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(first))
    for row in rows:
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def file_of(kind: Kind, name: str, first: Sequence[str], rows: Rows) -> HttpResponse:
    """The list as a file to save."""
    body, content_type = (as_csv(first, rows), CSV) if kind == "csv" else (as_xlsx(first, rows), XLSX)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return HttpResponse(body, content_type=content_type, headers=headers)


class UsersExport(ManagerView):
    """`GET reports/users/export`."""

    @endpoint(query=Export, login="required", answers=FILES, summary="Guests as a file")
    def get(self, request: Any, *, query: Export) -> HttpResponse:
        """Living guests, newest first (contract loyalty 1.7)."""
        return file_of(query.format, "users", reports.USERS, reports.users())


class CashbackExport(ManagerView):
    """`GET reports/cashback/export`."""

    @endpoint(query=Export, login="required", answers=FILES, summary="Movements as a file")
    def get(self, request: Any, *, query: Export) -> HttpResponse:
        """Movements of cashback, newest first (contract loyalty 1.7)."""
        return file_of(query.format, "cashback", reports.CASHBACK, reports.cashback())


urlpatterns = [
    path("api/v1/reports/users/export", UsersExport, name="users-export"),
    path("api/v1/reports/cashback/export", CashbackExport, name="cashback-export"),
]
