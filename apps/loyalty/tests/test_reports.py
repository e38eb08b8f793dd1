"""Files for a spreadsheet (contract loyalty 1.7)."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from apps.core.testing import query_budget
from apps.loyalty.models import CashbackTransaction, Client, Staff
from apps.loyalty.queries import reports
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db

FILES = ("reports/users/export", "reports/cashback/export")


def csv_rows(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_guests_as_csv(malika: Staff, vali: Staff, gulnora: Client) -> None:
    cast.earn(gulnora, 60_000)
    answer = Caller(malika).get("reports/users/export?format=csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv")
    assert answer["Content-Disposition"] == 'attachment; filename="users.csv"'
    first, row = csv_rows(answer)
    assert tuple(first) == reports.USERS
    told = [str(gulnora.pk), "Gulnora", "", gulnora.phone, "GOLD", "30000.0", "60000.0", "Vali"]
    assert row[:-1] == told


def test_movements_as_xlsx(malika: Staff, gulnora: Client) -> None:
    moved = cast.earn(gulnora, "1500.50", branch_id=139235)
    answer = Caller(malika).get("reports/cashback/export?format=xlsx")
    assert answer["Content-Disposition"] == 'attachment; filename="cashback.xlsx"'
    first, row = load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
    assert first == reports.CASHBACK
    assert (row[0], *row[2:]) == (*(moved.pk, gulnora.pk, "Gulnora", gulnora.phone, 1500.5, 1500.5, "MANUAL", 139235),)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_guests_name_is_no_formula(kind: str, malika: Staff, jasur: Client) -> None:
    Client.objects.filter(pk=jasur.pk).update(name='=HYPERLINK("x")', surname="\x01\tB")
    answer = Caller(malika).get(f"reports/users/export?format={kind}")
    assert answer.status_code == 200
    if kind == "csv":
        assert csv_rows(answer)[1][1] == '\'=HYPERLINK("x")'


def test_the_newest_rows_and_no_more(malika: Staff, jasur: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = [cast.earn(jasur, amount).pk for amount in (1, 2, 3)][:0:-1]
    monkeypatch.setattr(reports, "MOST_ROWS", 2)
    assert [int(row[0]) for row in csv_rows(Caller(malika).get("reports/cashback/export"))[1:]] == newest


@pytest.mark.parametrize("path", FILES)
def test_a_file_costs_the_same_however_long(path: str, malika: Staff, jasur: Client, gulnora: Client) -> None:
    caller = Caller(malika)
    cast.earn(jasur, 1)
    with query_budget(4):
        caller.get(path)
    for guest in (jasur, gulnora, gulnora):
        cast.earn(guest, 5)
    with query_budget(4):
        assert len(csv_rows(caller.get(path))) > 2


@pytest.mark.parametrize("path", FILES)
def test_managers_only(path: str, malika: Staff, vali: Staff, jasur: Client) -> None:
    cast.earn(jasur, 1)
    assert [Caller(who).get(path).status_code for who in (None, jasur, vali)] == [401, 403, 403]
    assert Caller(malika).get(f"{path}?format=pdf").status_code == 422
    assert CashbackTransaction.objects.count() == 1


def test_who_has_left_is_in_no_file(malika: Staff, jasur: Client) -> None:
    Caller(jasur).delete("users/me")
    assert len(csv_rows(Caller(malika).get("reports/users/export"))) == 1
