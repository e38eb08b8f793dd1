"""The people of a shop over HTTP (contract florist 1.6)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import access, errors
from apps.florist.access import switches
from apps.florist.actions import people
from apps.florist.actions.people import Newcomer
from apps.florist.api.base import Body, Email, FloristView, Paging, Trimmed
from apps.florist.models import Employee
from apps.florist.queries import staff

Name = Annotated[str, Field(min_length=1, max_length=100), Trimmed]
Mobile = Annotated[str, StringConstraints(pattern=r"^\+7\d{10}$")]
TelegramId = Annotated[int, Field(ge=1, lt=2**52)]


class UserOut(Shape):
    """An employee."""

    id: int
    phone: str
    name: str
    email: str | None
    role: str
    is_active: bool
    telegram_id: int | None
    shop_id: int
    created_at: datetime
    updated_at: datetime
    permissions: dict[str, bool]


class UserPage(Shape):
    items: list[UserOut]
    total: int


class UserQuery(Paging):
    """Which of them."""

    search: Annotated[str, Field(max_length=100)] = ""
    role: Employee.Role | None = None
    is_active: bool | None = None


class NewUser(Body):
    """Somebody to be hired."""

    phone: Mobile
    name: Name
    role: Employee.Role
    email: Email | None = None
    is_active: bool = True
    telegram_id: TelegramId | None = None


class EditUser(Body):
    """What changes."""

    name: Name | None = None
    email: Email | None = None
    role: Employee.Role | None = None
    is_active: bool | None = None
    telegram_id: TelegramId | None = None


class Switches(BaseModel):
    """The six switches; a key that we have not is 422."""

    model_config = ConfigDict(extra="forbid")

    orders: bool | None = None
    warehouse: bool | None = None
    customers: bool | None = None
    production: bool | None = None
    settings: bool | None = None
    users: bool | None = None


class Wrapped(BaseModel):
    """`{permissions: {…}}` as the documents say."""

    model_config = ConfigDict(extra="forbid")

    permissions: Switches


class Permissions(RootModel[Wrapped | Switches]):
    """`{permissions: {…}}`, or the bare switches that the CRM sends."""

    def chosen(self) -> dict[str, bool]:
        """The switches that were named."""
        given = self.root.permissions if isinstance(self.root, Wrapped) else self.root
        return given.model_dump(exclude_none=True)


class UserPath(Shape):
    """An employee's id."""

    user_id: Annotated[int, Field(ge=1, lt=2**63)]


def user_out(employee: Employee) -> dict[str, Any]:
    """The shape of `UserOut`."""
    names = set(UserOut.model_fields) - {"permissions"}
    return {**{name: getattr(employee, name) for name in names}, "permissions": switches(employee)}


class Users(FloristView):
    """The people of the shop."""

    tag = "users"
    needs = ("users", "read")

    @endpoint(summary="List users", query=UserQuery, login="required", answers={200: UserPage})
    def get(self, request: Any, *, query: UserQuery) -> dict[str, Any]:
        """By name."""
        found, total = staff.page(
            request.member,
            skip=query.skip,
            limit=query.limit,
            search=query.search,
            role=query.role or "",
            is_active=query.is_active,
        )
        return self.wire.paged([user_out(employee) for employee in found], total)

    @endpoint(
        summary="Hire somebody",
        body=NewUser,
        login="required",
        answers={200: UserOut},
        refusals=[errors.NotEnoughPermissions, errors.PhoneInUse, errors.EmailInUse],
    )
    def post(self, request: Any, *, body: NewUser) -> dict[str, Any]:
        """Permissions come from the role; he signs in by a code to his phone."""
        return user_out(people.hire(by=request.member, newcomer=Newcomer(**body.model_dump())))


class User(FloristView):
    """One of them."""

    tag = "users"

    @endpoint(
        summary="Show a user",
        path=UserPath,
        login="required",
        answers={200: UserOut},
        refusals=[errors.EmployeeNotFound],
    )
    def get(self, request: Any, *, user_id: int) -> dict[str, Any]:
        """Oneself, or anybody of the shop for who may read users."""
        if user_id != request.member.pk:
            access.ensure_may(request.member, "users", "read")
        return user_out(staff.one(request.member, user_id))

    @endpoint(
        summary="Change a user",
        path=UserPath,
        body=EditUser,
        login="required",
        answers={200: UserOut},
        refusals=[
            errors.EmployeeNotFound,
            errors.NotEnoughPermissions,
            errors.EmailInUse,
            errors.LastAdmin,
            errors.NotYourself,
        ],
    )
    def patch(self, request: Any, *, user_id: int, body: EditUser) -> dict[str, Any]:
        """One's own name and e-mail, or everything for who may write users."""
        changes = body.model_dump(exclude_unset=True)
        kept = {name: value for name, value in changes.items() if value is not None or name in ("email", "telegram_id")}
        return user_out(people.update(by=request.member, employee_id=user_id, **kept))

    @endpoint(
        summary="Dismiss a user",
        path=UserPath,
        login="required",
        answers={200: UserOut},
        refusals=[errors.EmployeeNotFound, errors.NotEnoughPermissions, errors.AdminFrozen, errors.NotYourself],
    )
    def delete(self, request: Any, *, user_id: int) -> dict[str, Any]:
        """The row stays, inactive: orders and tasks name it."""
        return user_out(people.dismiss(by=request.member, employee_id=user_id))


class UserPermissions(FloristView):
    """The switches of one of them."""

    tag = "users"
    needs = ("users", "read")

    @endpoint(
        summary="Switch rights",
        path=UserPath,
        body=Permissions,
        login="required",
        answers={200: UserOut},
        refusals=[errors.EmployeeNotFound, errors.NotEnoughPermissions, errors.AdminFrozen, errors.NotYourself],
    )
    def patch(self, request: Any, *, user_id: int, body: Permissions) -> dict[str, Any]:
        """Those not named stay."""
        employee = people.set_permissions(by=request.member, employee_id=user_id, permissions=body.chosen())
        return user_out(employee)


class Shift(Body):
    is_on_shift: bool


class ShiftOut(Shape):
    id: int
    is_on_shift: bool


class UserShift(FloristView):
    """Whether somebody is on shift; ours."""

    tag = "users"

    @endpoint(
        summary="Begin or end a shift",
        path=UserPath,
        body=Shift,
        login="required",
        answers={200: ShiftOut},
        refusals=[errors.EmployeeNotFound, errors.NotEnoughPermissions],
    )
    def patch(self, request: Any, *, user_id: int, body: Shift) -> dict[str, Any]:
        """One's own, or anybody's for who runs the production."""
        employee = people.set_shift(by=request.member, employee_id=user_id, is_on_shift=body.is_on_shift)
        return {"id": employee.pk, "is_on_shift": employee.is_on_shift}


urlpatterns = [
    path("api/users/", Users, name="users"),
    path("api/users/<str:user_id>", User, name="user"),
    path("api/users/<str:user_id>/permissions", UserPermissions, name="user-permissions"),
    path("api/users/<str:user_id>/shift", UserShift, name="user-shift"),
]
