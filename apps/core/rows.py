"""Questions with fixed SQL for hot paths: what Django's `raw()` finds out at every call, these find out once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)
N = TypeVar("N", bound=Model)


class FixedRows(Generic[M]):
    """SQL with `{columns}` in the place of the model's own, of table or alias `table`; `only` names fewer of them.

    Columns named in `also` stand behind those in the SQL and come as the database gives them.
    """

    def __init__(
        self, model: type[M], sql: str, *, table: str, only: Sequence[str] = (), also: Sequence[str] = ()
    ) -> None:
        self._model, self._sql, self._table = model, sql, table
        self._only, self._also = only, also

    def models(self, *params: Any) -> list[M]:
        """The rows as instances; what `only` leaves out is read when somebody asks for it."""
        count = len(self._fields)
        found = []
        for row in self._rows(params):
            instance = self._instance(row[:count])
            for name, value in zip(self._also, row[count:], strict=True):
                setattr(instance, name, value)
            found.append(instance)
        return found

    def dicts(self, *params: Any) -> list[dict[str, Any]]:
        """The rows as name → value."""
        return [dict(zip(self._names, row, strict=True)) for row in self._rows(params)]

    @cached_property
    def sql(self) -> str:
        """The statement as it is sent, with `%s` for each parameter."""
        return self._sql.format(columns=self._columns)

    @cached_property
    def _columns(self) -> str:
        return ", ".join(f"{self._table}.{field.column}" for field in self._fields)

    def _instance(self, values: Sequence[Any]) -> M:
        return self._model.from_db(connection.alias, self._names[: len(self._fields)], values)

    @cached_property
    def _fields(self) -> list[Any]:
        fields = self._model._meta.concrete_fields
        return [field for field in fields if field.attname in self._only] if self._only else list(fields)

    @cached_property
    def _names(self) -> list[str]:
        return [*(field.attname for field in self._fields), *self._also]

    @cached_property
    def _converters(self) -> dict[int, tuple[list[Any], Any]]:
        """What makes values of a column those of its field; PostgreSQL needs hardly any, SQLite many."""
        compiler = SQLCompiler(self._model._default_manager.all().query, connection, connection.alias)
        found: dict[int, tuple[list[Any], Any]] = compiler.get_converters([field.get_col("") for field in self._fields])
        return found

    def _rows(self, params: Sequence[Any]) -> list[Sequence[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, params)
            found = cursor.fetchall()
        return [self._converted(row) for row in found] if self._converters else found

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, (converters, expression) in self._converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return values


class FixedPairs(Generic[M, N]):
    """Two models in one statement: SQL with `{first}` and `{second}` in the places of their columns.

    `tables` are the tables or aliases of the two in the SQL.
    """

    def __init__(self, first: type[M], second: type[N], sql: str, *, tables: tuple[str, str]) -> None:
        self._first, self._second = FixedRows(first, "", table=tables[0]), FixedRows(second, "", table=tables[1])
        self._sql = sql

    @cached_property
    def sql(self) -> str:
        """The statement as it is sent, with `%s` for each parameter."""
        return self._sql.format(first=self._first._columns, second=self._second._columns)

    def models(self, *params: Any) -> list[tuple[M, N]]:
        """The rows as pairs of instances; what one knows of the other is for the caller to say."""
        first, second = self._first, self._second
        cut = len(first._fields)
        with connection.cursor() as cursor:
            cursor.execute(self.sql, params)
            rows = cursor.fetchall()
        return [
            (first._instance(first._converted(row[:cut])), second._instance(second._converted(row[cut:])))
            for row in rows
        ]
