"""Waiters, and the rest of the staff as the web client edits it (contract loyalty 1.4, 1.7)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from apps.accounts import actions as accounts
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty import errors
from apps.loyalty.actions import staff
from apps.loyalty.api import people
from apps.loyalty.api.auth import Password, StaffPage, StaffPhone
from apps.loyalty.api.base import ManagerView
from apps.loyalty.api.people import StaffRead
from apps.loyalty.api.wire import BranchId, Sized
from apps.loyalty.models import Staff
from apps.loyalty.queries import staff as questions
from apps.loyalty.queries.counting import page_of

Trimmed = StringConstraints(strip_whitespace=True)
Name = Annotated[str, Trimmed, Field(min_length=1, max_length=150)]
Code = Annotated[str | None, Trimmed, Field(max_length=12)]


class WaiterList(Sized):
    """Which waiters."""

    search: Annotated[str, Field(max_length=100)] = ""
    branch_id: BranchId = None


class StaffPath(Shape):
    """Whose row."""

    staff_id: int


class NewWaiter(Shape):
    """A waiter to hire; without a code one is made."""

    name: Name
    phone: StaffPhone
    password: Password
    branch_id: BranchId = None
    referral_code: Code = None


class ChangeStaff(Shape):
    """At least one field. A null branch and a blank code are taken away; other nulls change nothing."""

    name: Name | None = None
    phone: StaffPhone | None = None
    password: Password | None = None
    branch_id: BranchId = None
    referral_code: Code = None

    @model_validator(mode="after")
    def _says_something(self) -> ChangeStaff:
        if not self.model_fields_set:
            raise ValueError("at least one field is required")
        return self

    def changes(self) -> dict[str, Any]:
        """What was sent."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in sent.items() if value is not None or name == "branch_id"}


class ChangeColleague(ChangeStaff):
    """The same, and the role."""

    role: Staff.Role | None = None


class ReferralCode(Shape):
    """A fresh code."""

    referral_code: str


def staff_detail(staff_id: int, *, waiters_only: bool = True) -> dict[str, Any]:
    """One row with the count of guests. Raises `WaiterNotFound`, `StaffNotFound`."""
    row = questions.one(staff_id)
    if row is None or waiters_only and row.is_manager:
        raise errors.WaiterNotFound() if waiters_only else errors.StaffNotFound()
    return people.staff_read(row)


class Waiters(ManagerView):
    """`waiters`."""

    @endpoint(query=WaiterList, login="required", answers={200: StaffPage}, summary="Waiters")
    def get(self, request: Any, *, query: WaiterList) -> dict[str, Any]:
        """Newest first, with their guests counted (contract loyalty 1.4, row 27)."""
        found = questions.matching(query.search.strip(), branch_id=query.branch_id, waiters_only=True)
        rows, total = page_of(found, page=query.page, size=query.size)
        return self.wire.paged(list(map(people.staff_read, rows)), total, page=query.page, size=query.size)

    @endpoint(
        body=NewWaiter,
        login="required",
        answers={201: StaffRead},
        refusals=[errors.StaffPhoneTaken, errors.ReferralCodeTaken, accounts.PasswordTooWeak],
        summary="Hire a waiter",
    )
    def post(self, request: Any, *, body: NewWaiter) -> dict[str, Any]:
        """A blank code is made up (contract loyalty 1.4, row 28)."""
        given = {**dict(body), "referral_code": body.referral_code or ""}
        return people.staff_read(staff.hire(by=request.member, **given, caller=self.caller))


class Waiter(ManagerView):
    """`waiters/{id}`."""

    @endpoint(
        path=StaffPath, login="required", answers={200: StaffRead}, refusals=[errors.WaiterNotFound], summary="A waiter"
    )
    def get(self, request: Any, *, staff_id: int) -> dict[str, Any]:
        """A manager is no waiter: 404 (contract loyalty 1.4, row 29)."""
        return staff_detail(staff_id)

    @endpoint(
        path=StaffPath,
        body=ChangeStaff,
        login="required",
        answers={200: StaffRead},
        refusals=[errors.WaiterNotFound, errors.StaffPhoneTaken, errors.ReferralCodeTaken],
        summary="Change a waiter",
    )
    def put(self, request: Any, *, staff_id: int, body: ChangeStaff) -> dict[str, Any]:
        """A new password ends every session of the waiter (contract loyalty 1.4, row 30)."""
        staff.update_waiter(by=request.member, waiter_id=staff_id, changes=body.changes())
        return staff_detail(staff_id)

    @endpoint(
        path=StaffPath,
        login="required",
        answers={204: None},
        refusals=[errors.WaiterNotFound, errors.WaiterHasRecords],
        summary="Dismiss a waiter",
    )
    def delete(self, request: Any, *, staff_id: int) -> None:
        """The guests stay, without a waiter (contract loyalty 1.4, row 31)."""
        staff.dismiss_waiter(by=request.member, waiter_id=staff_id)


class Colleague(ManagerView):
    """`auth/staff/{id}`: buttons of the web client that the original never answered."""

    @endpoint(
        path=StaffPath,
        body=ChangeColleague,
        login="required",
        answers={200: StaffRead},
        refusals=[errors.StaffNotFound, errors.NotYourself, errors.StaffPhoneTaken, errors.ReferralCodeTaken],
        summary="Change staff",
    )
    def patch(self, request: Any, *, staff_id: int, body: ChangeColleague) -> dict[str, Any]:
        """Managers as well as waiters (contract loyalty 1.7)."""
        staff.update(by=request.member, staff_id=staff_id, changes=body.changes())
        return staff_detail(staff_id, waiters_only=False)

    @endpoint(
        path=StaffPath,
        login="required",
        answers={204: None},
        refusals=[errors.StaffNotFound, errors.NotYourself, errors.WaiterHasRecords],
        summary="Dismiss staff",
    )
    def delete(self, request: Any, *, staff_id: int) -> None:
        """Anybody but oneself (contract loyalty 1.7)."""
        staff.dismiss(by=request.member, staff_id=staff_id)


class Regenerate(ManagerView):
    """`POST auth/staff/{id}/referral/regenerate`."""

    @endpoint(
        path=StaffPath,
        login="required",
        answers={200: ReferralCode},
        refusals=[errors.WaiterNotFound, errors.NoReferralCode],
        summary="A new referral code",
    )
    def post(self, request: Any, *, staff_id: int) -> dict[str, str]:
        """The old code leads nowhere (contract loyalty 1.7)."""
        return {"referral_code": staff.regenerate_code(by=request.member, staff_id=staff_id)}


urlpatterns = [
    path("api/v1/waiters", Waiters, name="waiters"),
    path("api/v1/waiters/<str:staff_id>", Waiter, name="waiter"),
    path("api/v1/auth/staff/<str:staff_id>", Colleague, name="colleague"),
    path("api/v1/auth/staff/<str:staff_id>/referral/regenerate", Regenerate, name="regenerate-code"),
]
