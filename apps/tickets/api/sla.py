"""Promised times over HTTP: managers make them, staff see what runs late."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, model_validator

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets import errors
from apps.tickets.actions import sla
from apps.tickets.api.base import ManagerView, StaffView
from apps.tickets.models import SlaClock, Ticket
from apps.tickets.queries import sla as questions

LONGEST_MINUTES = 366 * 24 * 60


class Minutes(Shape):
    """From the report, weekends included."""

    first_response_minutes: int = Field(ge=1, le=LONGEST_MINUTES)
    resolution_minutes: int = Field(ge=1, le=LONGEST_MINUTES)


class NewPolicy(Minutes):
    """For a category, a team, or both."""

    category_id: UUID | None = None
    team_id: UUID | None = None

    @model_validator(mode="after")
    def is_about_something(self) -> NewPolicy:
        """The promise for everything else stands in the settings."""
        if self.category_id is None and self.team_id is None:
            raise ValueError("category_id or team_id is required")
        return self


class Policy(Minutes):
    """A promise."""

    id: UUID
    category_id: UUID | None
    category_name: str | None
    team_id: UUID | None
    team_name: str | None


class PolicyList(Shape):
    """All of them."""

    items: list[Policy]
    total: int


class PolicyPath(Shape):
    """The id in an address."""

    policy_id: UUID


class Late(Shape):
    """A clock that runs past its due moment."""

    kind: SlaClock.Kind
    due_at: datetime
    late_minutes: int
    ticket_id: UUID
    title: str
    status: Ticket.Status
    category_name: str
    team_name: str | None


class LateList(Shape):
    """The longest overdue first."""

    items: list[Late]
    total: int


class Policies(ManagerView):
    """Promised times."""

    tag = "sla"

    @endpoint(login="required", answers={200: PolicyList}, refusals=[errors.ManagersOnly], summary="Promised times")
    def get(self, request: Any) -> dict[str, Any]:
        """By category and team."""
        return self.wire.listed(questions.policies())

    @endpoint(
        body=NewPolicy,
        login="required",
        answers={201: Policy},
        refusals=[errors.ManagersOnly, errors.CategoryNotFound, errors.TeamNotFound, errors.PolicyExists],
        summary="Promise a time",
    )
    def post(self, request: Any, *, body: NewPolicy) -> dict[str, Any]:
        """For tickets from now on."""
        return questions.policy_row(sla.promise(by=request.member, **body.model_dump()))


class OnePolicy(ManagerView):
    """One promise."""

    tag = "sla"

    @endpoint(
        path=PolicyPath,
        body=Minutes,
        login="required",
        answers={200: Policy},
        refusals=[errors.ManagersOnly, errors.PolicyNotFound],
        summary="Change a promise",
    )
    def put(self, request: Any, *, policy_id: UUID, body: Minutes) -> dict[str, Any]:
        """Running clocks keep what they were given."""
        return questions.policy_row(sla.change(by=request.member, policy_id=policy_id, **body.model_dump()))

    @endpoint(
        path=PolicyPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.PolicyNotFound],
        summary="Withdraw a promise",
    )
    def delete(self, request: Any, *, policy_id: UUID) -> None:
        """The next less exact one counts again."""
        sla.withdraw(by=request.member, policy_id=policy_id)


class LateView(StaffView):
    """What runs late."""

    tag = "sla"

    @endpoint(login="required", answers={200: LateList}, refusals=[errors.StaffOnly], summary="Overdue tickets")
    def get(self, request: Any) -> dict[str, Any]:
        """Support sees its own team's, at most 200."""
        return self.wire.listed(questions.late(by=request.member))


urlpatterns = [
    path("api/v1/sla/policies", Policies, name="sla-policies"),
    path("api/v1/sla/policies/<str:policy_id>", OnePolicy, name="sla-policy"),
    path("api/v1/sla/late", LateView, name="sla-late"),
]
