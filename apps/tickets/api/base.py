"""Base of the tickets' views: a bearer token signs people in, `request.member` is the membership."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from apps.accounts import tokens
from apps.accounts.authentication import BearerAuthentication
from apps.accounts.kit import AuthView
from apps.accounts.models import User
from apps.core.wire import Shape
from apps.tickets import access, errors
from apps.tickets.api.wire import WIRE, TicketsWire
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Escalation, Member, Ticket
from apps.tickets.queries import members


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


Status = Annotated[Ticket.Status, BeforeValidator(_upper)]
"""A ticket's status in any case (C8)."""
RoleName = Annotated[Member.Role, BeforeValidator(_upper)]
VERDICTS = {"type": "string", "enum": list(Escalation.Status.values)}
Verdict = Annotated[Escalation.Status, BeforeValidator(_upper), WithJsonSchema(VERDICTS)]
"""Written out in the document, which knows one `Status` only: a ticket's."""
PageNumber = Annotated[int, Field(ge=1, le=1_000_000)]
PageSize = Annotated[int, Field(ge=1, le=100)]


class TicketPath(Shape):
    """The id in an address; anything but a UUID is 422."""

    ticket_id: uuid.UUID


class Paging(Shape):
    """`page` from 1."""

    page: PageNumber = 1
    page_size: PageSize = 20


class TicketsBearer(BearerAuthentication):
    """`Authorization: Bearer <token>`; clients' own test tokens hold only `sub`, `type` and `exp`."""

    audience = PRODUCT

    def person_behind(self, proof: tokens.Proof) -> User | None:
        """The person of the member whom a bare token names."""
        return members.person_of(proof.subject)


class TicketsView(AuthView):
    """One wire and one sign-in for the whole product."""

    wire: ClassVar[TicketsWire] = WIRE
    tag = "tickets"
    product = PRODUCT
    authentication_classes = (TicketsBearer,)

    def membership(self, user: Any) -> Member:
        """The member row. Rights are read from it on each request, never from the token. Raises `MemberGone`."""
        found = members.of_person(user)
        if found is None or not found.is_active:
            raise errors.MemberGone()
        return found


class RoleView(TicketsView):
    """For some roles only: 401 without a sign-in, 403 for the wrong role, then the rest."""

    needs: ClassVar[access.Rank] = "manager"

    def sign_in(self, request: Any, login: Literal["required", "optional", "none"]) -> None:
        """Raises `StaffOnly` or `ManagersOnly` before the shape of the request is looked at."""
        super().sign_in(request, login)
        if login == "required":
            access.ensure_rank(request.member, self.needs)


class StaffView(RoleView):
    """For support and managers."""

    needs = "staff"


class ManagerView(RoleView):
    """For managers."""
