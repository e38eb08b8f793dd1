"""Categories and teams (contract tickets 1.3)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets import errors
from apps.tickets.actions import categories, teams
from apps.tickets.api.base import ManagerView, Paging
from apps.tickets.api.shapes import Trimmed, without_nulls
from apps.tickets.models import Member
from apps.tickets.queries import members
from apps.tickets.queries import teams as questions

CategoryName = Annotated[str, Trimmed, Field(min_length=2, max_length=100)]
TeamName = Annotated[str, Trimmed, Field(min_length=3, max_length=100)]
Description = Annotated[str, Trimmed, Field(max_length=500)]
Ids = Annotated[list[uuid.UUID], Field(max_length=500)]
NULLABLE = frozenset({"description"})


class CategoryPath(Shape):
    """A category's id."""

    category_id: uuid.UUID


class TeamPath(Shape):
    """A team's id."""

    team_id: uuid.UUID


class TeamMemberPath(TeamPath):
    """A team's and a member's id."""

    user_id: uuid.UUID


class CategoryOut(Shape):
    """A kind of trouble."""

    id: uuid.UUID
    name: str
    description: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class AllCategories(Shape):
    items: list[CategoryOut]
    total: int


class CategoryQuery(Shape):
    """Only active ones, unless told otherwise."""

    active_only: bool = True


class CategoryIn(Shape):
    """A new kind."""

    name: CategoryName
    description: Description | None = None


class CategoryChange(Shape):
    """Any part of it."""

    name: CategoryName | None = None
    description: Description | None = None
    is_active: bool | None = None


class TeamOut(Shape):
    """A team; `is_fallback` takes what nobody covers."""

    id: uuid.UUID
    name: str
    description: str | None
    is_fallback: bool
    member_count: int
    district_ids: list[uuid.UUID]
    active_ticket_count: int
    created_at: datetime
    updated_at: datetime


class PageOfTeams(Shape):
    items: list[TeamOut]
    total: int
    page: int
    page_size: int


class TeamMember(Shape):
    id: uuid.UUID
    name: str
    email: str | None
    phone_number: str
    role: Member.Role


class TeamCategory(Shape):
    team_id: uuid.UUID
    category_id: uuid.UUID
    category_name: str


class TeamDistrict(Shape):
    team_id: uuid.UUID
    district_id: uuid.UUID
    district_name: str
    city: str


class TeamDetail(TeamOut):
    """A team with everybody and everything in it."""

    members: list[TeamMember]
    categories: list[TeamCategory]
    districts: list[TeamDistrict]


class TeamIn(Shape):
    """A new team."""

    name: TeamName
    description: Description | None = None
    category_ids: Ids = []
    district_ids: Ids = []


class TeamChange(Shape):
    """Any part of it."""

    name: TeamName | None = None
    description: Description | None = None


class FreeMember(Shape):
    """Somebody who is in no team."""

    id: uuid.UUID
    name: str
    phone_number: str
    role: Member.Role


class Categories(ManagerView):
    """Kinds of trouble: everybody reads, managers add."""

    tag = "categories"

    @endpoint(summary="List categories", query=CategoryQuery, answers={200: AllCategories})
    def get(self, request: Any, *, query: CategoryQuery) -> dict[str, Any]:
        """By name."""
        return self.wire.listed(questions.categories(only_active=query.active_only))

    @endpoint(
        summary="Add a category",
        body=CategoryIn,
        login="required",
        answers={201: CategoryOut},
        refusals=[errors.ManagersOnly, errors.CategoryNameTaken],
    )
    def post(self, request: Any, *, body: CategoryIn) -> CategoryOut:
        """Managers only."""
        created = categories.create(by=request.member, name=body.name, description=body.description)
        return CategoryOut.model_validate(created)


class OneCategory(ManagerView):
    """One kind of trouble: everybody reads, managers change."""

    tag = "categories"

    @endpoint(
        summary="Show a category",
        path=CategoryPath,
        answers={200: CategoryOut},
        refusals=[errors.CategoryNotFound],
    )
    def get(self, request: Any, *, category_id: uuid.UUID) -> Any:
        """Active or not."""
        return questions.category(category_id=category_id)

    @endpoint(
        summary="Change a category",
        path=CategoryPath,
        body=CategoryChange,
        login="required",
        answers={200: CategoryOut},
        refusals=[errors.ManagersOnly, errors.CategoryNotFound, errors.CategoryNameTaken],
    )
    def put(self, request: Any, *, category_id: uuid.UUID, body: CategoryChange) -> CategoryOut:
        """Managers only."""
        changes = without_nulls(body, nullable=NULLABLE)
        changed = categories.change(by=request.member, category_id=category_id, changes=changes)
        return CategoryOut.model_validate(changed)

    @endpoint(
        summary="Delete a category",
        path=CategoryPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.CategoryNotFound, errors.OtherCategoryFixed],
    )
    def delete(self, request: Any, *, category_id: uuid.UUID) -> None:
        """Its tickets move to "Other"."""
        categories.remove(by=request.member, category_id=category_id)


class Teams(ManagerView):
    """All teams, for managers."""

    tag = "teams"

    @endpoint(
        summary="List teams",
        query=Paging,
        login="required",
        answers={200: PageOfTeams},
        refusals=[errors.ManagersOnly],
    )
    def get(self, request: Any, *, query: Paging) -> dict[str, Any]:
        """By name."""
        rows, total = questions.page(page=query.page, page_size=query.page_size)
        return self.wire.paged(rows, total, page=query.page, page_size=query.page_size)

    @endpoint(
        summary="Add a team",
        body=TeamIn,
        login="required",
        answers={201: TeamOut},
        refusals=[
            errors.ManagersOnly,
            errors.TeamNameTaken,
            errors.CategoryNotFound,
            errors.DistrictNotFound,
        ],
    )
    def post(self, request: Any, *, body: TeamIn) -> Any:
        """With what it repairs and where."""
        team = teams.create(by=request.member, **body.model_dump())
        return questions.one(team_id=team.pk)


class FreeMembers(ManagerView):
    """People without a team."""

    tag = "teams"

    @endpoint(
        summary="People without a team",
        login="required",
        answers={200: list[FreeMember]},
        refusals=[errors.ManagersOnly],
    )
    def get(self, request: Any) -> list[Any]:
        """Active people of all roles, by name."""
        return members.without_team()


class OneTeam(ManagerView):
    """One team."""

    tag = "teams"

    @endpoint(
        summary="Show a team",
        path=TeamPath,
        login="required",
        answers={200: TeamDetail},
        refusals=[errors.ManagersOnly, errors.TeamNotFound],
    )
    def get(self, request: Any, *, team_id: uuid.UUID) -> Any:
        """With members, categories and districts."""
        return questions.whole(team_id=team_id)

    @endpoint(
        summary="Change a team",
        path=TeamPath,
        body=TeamChange,
        login="required",
        answers={200: TeamOut},
        refusals=[errors.ManagersOnly, errors.TeamNotFound, errors.TeamNameTaken],
    )
    def put(self, request: Any, *, team_id: uuid.UUID, body: TeamChange) -> Any:
        """Name and description."""
        teams.change(by=request.member, team_id=team_id, changes=without_nulls(body, nullable=NULLABLE))
        return questions.one(team_id=team_id)

    @endpoint(
        summary="Delete a team",
        path=TeamPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.TeamNotFound, errors.FallbackTeamFixed],
    )
    def delete(self, request: Any, *, team_id: uuid.UUID) -> None:
        """Its tickets find new teams."""
        teams.remove(by=request.member, team_id=team_id)


class TeamMembers(ManagerView):
    """Who is in a team."""

    tag = "teams"

    @endpoint(
        summary="Put somebody into a team",
        path=TeamMemberPath,
        login="required",
        answers={200: TeamDetail},
        refusals=[errors.ManagersOnly, errors.TeamNotFound, errors.UserNotFound],
    )
    def post(self, request: Any, *, team_id: uuid.UUID, user_id: uuid.UUID) -> Any:
        """Out of another team if need be."""
        teams.add_member(by=request.member, team_id=team_id, member_id=user_id)
        return questions.whole(team_id=team_id)

    @endpoint(
        summary="Take somebody out of a team",
        path=TeamMemberPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.TeamNotFound, errors.NotATeamMember],
    )
    def delete(self, request: Any, *, team_id: uuid.UUID, user_id: uuid.UUID) -> None:
        """He is in no team then."""
        teams.remove_member(by=request.member, team_id=team_id, member_id=user_id)


urlpatterns = [
    path("api/v1/categories", Categories, name="categories"),
    path("api/v1/categories/<str:category_id>", OneCategory, name="category"),
    path("api/v1/teams", Teams, name="teams"),
    path("api/v1/teams/unassigned/members", FreeMembers, name="teams-unassigned"),
    path("api/v1/teams/<str:team_id>", OneTeam, name="team"),
    path("api/v1/teams/<str:team_id>/members/<str:user_id>", TeamMembers, name="team-member"),
]
