"""The product's dialect: refusals in Russian and Uzbek at once, decimals with a point, birthdays the local way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, Field

from apps.core import errors, texts
from apps.core.errors import Refused
from apps.core.wire import MethodNotAllowed, Shape, Wire
from apps.loyalty.models import Branch

LANGUAGES = ("ru", "uz")
PLAIN = (errors.NotFound, MethodNotAllowed)
"""An unknown path or verb is no refusal of ours: English words, as the original's framework said them."""


class Words(BaseModel):
    """A refusal in both languages."""

    ru: str
    uz: str


class Problem(BaseModel):
    """The error envelope; plain words where no path of ours was meant."""

    detail: Words | str


class PlainProblem(BaseModel):
    """What the restaurant's system reads."""

    detail: str


class Malformed(BaseModel):
    """One malformed field. What was sent is not repeated: it may be a password or a code."""

    loc: list[str | int]
    msg: str
    type: str


class MalformedList(BaseModel):
    """Everything malformed in one request; `body` is always empty (contract loyalty 0.2)."""

    detail: list[Malformed]
    body: str = ""


class LoyaltyWire(Wire):
    """`{"detail": {"ru", "uz"}}`, `{"pagination", "items"}`, decimals as JSON numbers (contract loyalty 0.2)."""

    error_body: ClassVar[type[BaseModel]] = Problem
    error_list = MalformedList

    def refused(self, refused: Refused, request: Any) -> tuple[int, Any]:
        """Both languages at once; the clients pick."""
        if type(refused) in PLAIN:
            return refused.status, {"detail": str(refused)}
        if isinstance(refused, errors.Invalid):  # clients read every 422 as a list
            return self.invalid([{"loc": ["body"], "msg": str(refused), "type": refused.code}])
        return refused.status, {"detail": texts.in_languages(refused.message, LANGUAGES, **refused.facts)}

    def invalid(self, found: Sequence[Mapping[str, Any]]) -> tuple[int, Any]:
        """What is wrong and where, never what was sent."""
        return 422, {"detail": [{name: one.get(name) for name in ("loc", "msg", "type")} for one in found], "body": ""}

    def number(self, value: Decimal) -> float:
        """`60000.0`: the web client checks that a sum is a number."""
        return float(value)

    def paged(self, items: Sequence[Any], total: int, *, page: int, size: int) -> dict[str, Any]:
        """One page of a list."""
        return {"pagination": {"page": page, "size": size, "total": total}, "items": items}


class IikoWire(LoyaltyWire):
    """The restaurant's system reads a plain text in `detail`."""

    error_body = PlainProblem

    def refused(self, refused: Refused, request: Any) -> tuple[int, Any]:
        return refused.status, {"detail": str(refused)}


WIRE = LoyaltyWire()
IIKO_WIRE = IikoWire()

LARGEST_ID = 2**31 - 1


class Pagination(Shape):
    """Where a page stands."""

    page: int
    size: int
    total: int


class Paged(Shape):
    """`page` and `page_size` of a request."""

    page: int = Field(1, ge=1, le=LARGEST_ID)
    page_size: int = Field(20, ge=1, le=100)

    @property
    def size(self) -> int:
        """Rows on one page."""
        return self.page_size


class Sized(Shape):
    """The same where clients say `size`."""

    page: int = Field(1, ge=1, le=LARGEST_ID)
    size: int = Field(20, ge=1, le=100)


def _birthday(given: Any) -> Any:
    """`dd.mm.yyyy`, `yyyy-mm-dd` or an ISO moment; an empty text is none."""
    if not isinstance(given, str):
        return given
    text = given.strip()
    if not text:
        return None
    for form in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as problem:
        raise ValueError("date must be dd.mm.yyyy or yyyy-mm-dd") from problem


def _is_branch(given: Any) -> Any:
    return None if given == "" else given


Birthday = Annotated[date | None, BeforeValidator(_birthday)]
BranchId = Annotated[Branch | None, BeforeValidator(_is_branch)]
"""One of the four restaurants, or none."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


def birthday(value: date | None) -> str | None:
    """`dd.mm.yyyy`."""
    return value.strftime("%d.%m.%Y") if value else None
