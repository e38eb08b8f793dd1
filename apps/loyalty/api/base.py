"""Base of the product's views: a bearer token signs in a guest or staff; `request.member` is who it is."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from apps.accounts.authentication import BearerAuthentication
from apps.accounts.kit import AuthView
from apps.accounts.tokens import Proof
from apps.core.errors import Refused
from apps.loyalty import access, errors
from apps.loyalty.actions import doors
from apps.loyalty.actions.doors import DemoGuest
from apps.loyalty.api.wire import WIRE, LoyaltyWire
from apps.loyalty.conf import PRODUCT

CORRELATION = "X-Correlation-ID"
PLAIN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class LoyaltyBearer(BearerAuthentication):
    """`Authorization: Bearer <access token>`. The demo's tokens belong to nobody (contract loyalty 3.2)."""

    audience = PRODUCT

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        """The person, or the demo's guest. Raises `NotSignedIn`, `WrongScheme` and what every bearer raises."""
        given = request.META.get("HTTP_AUTHORIZATION", "").strip()
        if not given:
            raise errors.NotSignedIn()
        if given.partition(" ")[0].lower() != "bearer":
            raise errors.WrongScheme()
        found = super().authenticate(request)
        if found is None:
            raise errors.NotSignedIn()
        return found

    def _person(self, proof: Any) -> Any:
        return doors.demo_guest(proof) if proof.link is None else super()._person(proof)


class LoyaltyView(AuthView):
    """One wire and one sign-in for the whole product. `request.member` is a Client, a Staff or a DemoGuest."""

    wire: ClassVar[LoyaltyWire] = WIRE
    tag = "loyalty"
    product = PRODUCT
    authentication_classes = (LoyaltyBearer,)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Every answer carries the correlation id that the client sent, or one of ours (contract loyalty 0.2)."""
        answer = super().dispatch(request, *args, **kwargs)
        sent = request.headers.get(CORRELATION, "")
        answer.headers[CORRELATION] = sent if PLAIN_ID.fullmatch(sent) else uuid.uuid4().hex
        return answer

    def membership(self, user: Any) -> Any:
        """The row that the token names. Rights are read from it on each request, never from the token."""
        return user if isinstance(user, DemoGuest) else doors.member(user, cast("Proof", self.request.auth))


class ClientView(LoyaltyView):
    """For guests only: 401 for the demo's guest, who has no account, 403 for staff."""

    refusals: ClassVar[Sequence[type[Refused]]] = (errors.WrongActor,)

    def membership(self, user: Any) -> Any:
        """Raises `AccountGone`, `WrongActor`."""
        member = super().membership(user)
        if isinstance(member, DemoGuest):
            raise errors.AccountGone()
        access.ensure_client(member)
        return member


class StaffView(LoyaltyView):
    """For waiters and managers."""

    refusals: ClassVar[Sequence[type[Refused]]] = (errors.WrongActor,)

    def membership(self, user: Any) -> Any:
        """Raises `AccountGone`, `WrongActor`."""
        member = super().membership(user)
        if isinstance(member, DemoGuest):
            raise errors.WrongActor()
        access.ensure_staff(member)
        return member


class ManagerView(StaffView):
    """For managers."""

    refusals: ClassVar[Sequence[type[Refused]]] = (errors.ManagersOnly,)

    def membership(self, user: Any) -> Any:
        """Raises `AccountGone`, `WrongActor`, `ManagersOnly`."""
        member = super().membership(user)
        access.ensure_manager(member)
        return member
