"""Members and their saved addresses (contract tickets 1.3)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from apps.accounts import actions as accounts
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets import access, errors
from apps.tickets.actions import addresses, members, registration
from apps.tickets.actions.registration import Application
from apps.tickets.api.base import ManagerView, PageNumber, RoleName, TicketsView
from apps.tickets.api.places import Latitude, Longitude
from apps.tickets.api.shapes import AnyPassword, Email, Name, NewPassword, Phone, Trimmed, User, without_nulls
from apps.tickets.conf import CITY
from apps.tickets.models import Member
from apps.tickets.queries import addresses as address_questions
from apps.tickets.queries import members as questions

Label = Annotated[str, Trimmed, Field(min_length=1, max_length=100)]
Street = Annotated[str, Trimmed, Field(min_length=1, max_length=500)]
City = Annotated[str, Trimmed, Field(min_length=1, max_length=100)]


class UserPath(Shape):
    """A member's id; anything but a UUID is 422."""

    user_id: uuid.UUID


class AddressPath(Shape):
    """An address's id."""

    address_id: uuid.UUID


class UsersQuery(Shape):
    """An unknown role is 400 here, as in the original."""

    role: str | None = None
    team_id: uuid.UUID | None = None
    page: PageNumber = 1
    page_size: Annotated[int, Field(ge=1, le=500)] = 20

    def known_role(self) -> Member.Role | None:
        """Raises `UnknownRole`."""
        try:
            return Member.Role(self.role.strip().upper()) if self.role else None
        except ValueError as problem:
            raise errors.UnknownRole() from problem


class UserPage(Shape):
    items: list[User]
    total: int
    page: int
    page_size: int


class Invitation(Shape):
    """`password`, which the front end sends too, is not read: a letter lets the invited choose it."""

    name: Name
    email: Email
    phone_number: Phone
    role: RoleName = Member.Role.SUPPORT
    team_id: uuid.UUID | None = None


class Profile(Shape):
    """Any part of it; a new password wants the present one."""

    name: Name | None = None
    email: Email | None = None
    phone_number: Phone | None = None
    current_password: AnyPassword | None = None
    new_password: NewPassword | None = None


class NewRole(Shape):
    """`team_id` null leaves the team as it is."""

    role: RoleName
    team_id: uuid.UUID | None = None


class AddressIn(Shape):
    """A place to save."""

    name: Label
    address: Street
    latitude: Latitude
    longitude: Longitude
    city: Annotated[City, BeforeValidator(lambda given: given or CITY)] = CITY


class AddressChange(Shape):
    """Any part of it."""

    name: Label | None = None
    address: Street | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    city: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=100)] = None


class AddressOut(Shape):
    """A saved place."""

    id: uuid.UUID
    user_id: uuid.UUID = Field(validation_alias="member_id")
    name: str
    address: str
    latitude: float
    longitude: float
    city: str | None
    created_at: datetime
    updated_at: datetime


class AddressList(Shape):
    items: list[AddressOut]
    total: int


class Users(ManagerView):
    """All members, for managers."""

    tag = "users"

    @endpoint(
        summary="List users",
        query=UsersQuery,
        login="required",
        answers={200: UserPage},
        refusals=[errors.ManagersOnly, errors.UnknownRole],
    )
    def get(self, request: Any, *, query: UsersQuery) -> dict[str, Any]:
        """Newest first."""
        rows, total = questions.page(
            role=query.known_role(), team_id=query.team_id, page=query.page, page_size=query.page_size
        )
        return self.wire.paged(rows, total, page=query.page, page_size=query.page_size)

    @endpoint(
        summary="Invite a user",
        body=Invitation,
        login="required",
        answers={201: User},
        refusals=[errors.ManagersOnly, errors.EmailInUse, errors.PhoneInUse, errors.TeamNotFound],
    )
    def post(self, request: Any, *, body: Invitation) -> dict[str, Any]:
        """A letter with a link goes to the e-mail address."""
        application = Application(name=body.name, phone=body.phone_number, email=body.email)
        member = registration.invite(
            application, by=request.member, role=body.role, team_id=body.team_id, caller=self.caller
        )
        return questions.as_row(member)


class OneUser(TicketsView):
    """One member: himself, or for managers."""

    tag = "users"

    @endpoint(
        summary="Show a user",
        path=UserPath,
        login="required",
        answers={200: User},
        refusals=[errors.NotYourProfile, errors.UserNotFound],
    )
    def get(self, request: Any, *, user_id: uuid.UUID) -> dict[str, Any]:
        """Oneself, or anybody for a manager."""
        return questions.as_row(questions.one(by=request.member, member_id=user_id))

    @endpoint(
        summary="Change my profile",
        path=UserPath,
        body=Profile,
        login="required",
        answers={200: User},
        refusals=[
            errors.NotYourProfile,
            errors.PhoneInUse,
            errors.EmailTaken,
            errors.CurrentPasswordMissing,
            errors.CurrentPasswordWrong,
            accounts.PasswordTooWeak,
            accounts.TooManyTries,
        ],
    )
    def put(self, request: Any, *, user_id: uuid.UUID, body: Profile) -> dict[str, Any]:
        """A new password signs out everywhere."""
        sent = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
        current, new = sent.pop("current_password", None), sent.pop("new_password", None)
        member = members.update_profile(
            by=request.member, member_id=user_id, changes=sent, current=current, new=new, caller=self.caller
        )
        return questions.as_row(member)

    @endpoint(
        summary="Remove a user",
        path=UserPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.UserNotFound, errors.NotYourself, errors.LastManager],
    )
    def delete(self, request: Any, *, user_id: uuid.UUID) -> None:
        """Managers only; phone and e-mail are free again."""
        access.ensure_rank(request.member, "manager")
        members.remove(by=request.member, member_id=user_id)


class UserRole(ManagerView):
    """What a member may do."""

    tag = "users"

    @endpoint(
        summary="Change a user's role",
        path=UserPath,
        body=NewRole,
        login="required",
        answers={200: User},
        refusals=[
            errors.ManagersOnly,
            errors.UserNotFound,
            errors.TeamNotFound,
            errors.NotYourself,
            errors.LastManager,
        ],
    )
    def patch(self, request: Any, *, user_id: uuid.UUID, body: NewRole) -> dict[str, Any]:
        """Neither one's own nor the last manager's is lowered."""
        member = members.set_role(by=request.member, member_id=user_id, role=body.role, team_id=body.team_id)
        return questions.as_row(questions.one(by=request.member, member_id=member.pk))


class Addresses(TicketsView):
    """My saved addresses."""

    tag = "addresses"

    @endpoint(summary="List my addresses", login="required", answers={200: AddressList})
    def get(self, request: Any) -> dict[str, Any]:
        """Newest first."""
        rows = address_questions.listed(by=request.member)
        return self.wire.listed([AddressOut.model_validate(row) for row in rows])

    @endpoint(
        summary="Save an address",
        body=AddressIn,
        login="required",
        answers={201: AddressOut},
        refusals=[errors.AddressNameTaken, errors.TooManyAddresses],
    )
    def post(self, request: Any, *, body: AddressIn) -> AddressOut:
        """Few, and each name once."""
        return AddressOut.model_validate(addresses.save(by=request.member, words=body.model_dump()))


class OneAddress(TicketsView):
    """One of my addresses; other people's do not exist."""

    tag = "addresses"

    @endpoint(
        summary="Show an address",
        path=AddressPath,
        login="required",
        answers={200: AddressOut},
        refusals=[errors.AddressNotFound],
    )
    def get(self, request: Any, *, address_id: uuid.UUID) -> AddressOut:
        """My own."""
        return AddressOut.model_validate(address_questions.one(by=request.member, address_id=address_id))

    @endpoint(
        summary="Change an address",
        path=AddressPath,
        body=AddressChange,
        login="required",
        answers={200: AddressOut},
        refusals=[errors.AddressNotFound, errors.AddressNameTaken],
    )
    def put(self, request: Any, *, address_id: uuid.UUID, body: AddressChange) -> AddressOut:
        """Any part of it."""
        words = without_nulls(body)
        return AddressOut.model_validate(addresses.change(by=request.member, address_id=address_id, words=words))

    @endpoint(
        summary="Delete an address",
        path=AddressPath,
        login="required",
        answers={204: None},
        refusals=[errors.AddressNotFound],
    )
    def delete(self, request: Any, *, address_id: uuid.UUID) -> None:
        """My own."""
        addresses.forget(by=request.member, address_id=address_id)


urlpatterns = [
    path("api/v1/users", Users, name="users"),
    path("api/v1/users/<str:user_id>", OneUser, name="user"),
    path("api/v1/users/<str:user_id>/role", UserRole, name="user-role"),
    path("api/v1/addresses", Addresses, name="addresses"),
    path("api/v1/addresses/<str:address_id>", OneAddress, name="address"),
]
