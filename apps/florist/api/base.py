"""Base of the flower shops' views: a bearer token signs people in, `request.member` is the employee."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpResponse
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from apps.accounts import tokens
from apps.accounts.authentication import BearerAuthentication
from apps.accounts.kit import AuthView
from apps.core import phones
from apps.core.errors import Invalid, Refused
from apps.core.wire import Shape
from apps.florist import access, errors
from apps.florist.access import Area, Level
from apps.florist.api.wire import WIRE, FloristWire
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee
from apps.florist.queries import employees

Skip = Annotated[int, Field(ge=0, le=1_000_000)]
Limit = Annotated[int, Field(ge=1, le=100)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""An id in a body or a query string."""


def _phone(text: str) -> str:
    """E.164 of whatever people type in Kazakhstan (contract 3.4)."""
    try:
        return phones.normalise(text, "KZ")
    except Invalid as problem:
        raise ValueError("invalid phone number") from problem


Trimmed = StringConstraints(strip_whitespace=True)
Phone = Annotated[str, Field(min_length=7, max_length=32), Trimmed, AfterValidator(_phone)]
"""A phone in any spelling, handed on in E.164."""


def _email(text: str) -> str:
    """Small letters throughout: J@ and j@ are one person."""
    try:
        validate_email(text)
    except ValidationError as problem:
        raise ValueError("value is not a valid email address") from problem
    return text.lower()


Email = Annotated[str, Field(max_length=254), Trimmed, AfterValidator(_email)]
Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
"""A sum that may be nothing, in the shop's currency."""


class Body(Shape):
    """Base of request bodies: a key that nobody knows is 422, so that a misspelt one is not lost (contract 1.0)."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, populate_by_name=True)


class Paging(Shape):
    """`skip` and `limit`, 100 unless a path says otherwise (contract 1.0)."""

    skip: Skip = 0
    limit: Limit = 100


class FloristBearer(BearerAuthentication):
    """`Authorization: Bearer <token>`."""

    audience = PRODUCT


class FloristView(AuthView):
    """One wire and one sign-in for the whole product.

    `needs` is the area and least level of the path; it is looked at before the shape of the request.
    """

    wire: ClassVar[FloristWire] = WIRE
    tag = "florist"
    product = PRODUCT
    authentication_classes = (FloristBearer,)
    needs: ClassVar[tuple[Area, Level] | None] = None
    refusals: ClassVar[tuple[type[Refused], ...]] = (errors.NotEnoughPermissions,)
    """What every path of the view may answer to somebody who is signed in."""

    def membership(self, user: Any) -> Employee:
        """The employee whom the token names: who works in two shops enters the one he signed in to.

        Rights are read from the row on each request. Raises `EmployeeGone`.
        """
        found = employees.named(user, cast(tokens.Proof, self.request.auth).subject)
        if found is None:
            raise errors.EmployeeGone()
        return found

    def reply(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """`?envelope=0` gives the seed's bare list instead of `{items, total}` (contract 1.7)."""
        is_page = isinstance(body, dict) and body.keys() == {"items", "total"}
        if is_page and self.request.GET.get("envelope") == "0":
            body = body["items"]
        return super().reply(body, status, headers)

    def sign_in(self, request: Any, login: Literal["required", "optional", "none"]) -> None:
        """Raises `NotEnoughPermissions` below what the path needs."""
        super().sign_in(request, login)
        if login == "required" and self.needs:
            access.ensure_may(request.member, *self.needs)
