"""Guests: the managers' list, a guest's own profile, leaving (contract loyalty 1.2)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, StringConstraints

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty import errors
from apps.loyalty.actions import clients
from apps.loyalty.api import people
from apps.loyalty.api.base import ClientView, ManagerView, StaffView
from apps.loyalty.api.people import CashbackRead, LoyaltyRead, StaffRead, UserRead
from apps.loyalty.api.wire import Birthday, Id, Paged, Pagination
from apps.loyalty.models import Client
from apps.loyalty.queries import cashback
from apps.loyalty.queries import clients as questions
from apps.loyalty.queries.counting import page_of

Trimmed = StringConstraints(strip_whitespace=True)
Name = Annotated[str | None, Trimmed, Field(max_length=100)]
Email = Annotated[str | None, Trimmed, Field(max_length=320, pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s.]+$")]


def _level(given: Any) -> Any:
    return given.strip().upper() or None if isinstance(given, str) else given


class UserList(Paged):
    """Which guests; a waiter asks for his own."""

    search: Annotated[str, Field(max_length=100)] = ""
    waiter: Id | None = None
    loyalty: Annotated[Client.Level | None, BeforeValidator(_level)] = None


class UserPath(Shape):
    """Whose row."""

    user_id: int


class ChangeUser(Shape):
    """What a manager may change. The web client says `middleName`; `waiter_id: null` detaches the waiter."""

    first_name: Name = None
    last_name: Name = None
    middle_name: Name = Field(None, validation_alias=AliasChoices("middle_name", "middleName"))
    dob: Birthday = None
    waiter_id: Id | None = None
    profile_photo_url: Annotated[str | None, Field(max_length=512)] = None
    giftget: bool | None = None

    def changes(self) -> dict[str, Any]:
        """In the words of the row; the three names become one, as the original has it."""
        parts = [part for part in (self.first_name, self.middle_name, self.last_name) if part]
        told = {"name": " ".join(parts)[:150] or None, "date_of_birth": self.dob, "giftget": self.giftget}
        detaches = {"waiter_id": self.waiter_id} if "waiter_id" in self.model_fields_set else {}
        return {name: value for name, value in told.items() if value is not None} | detaches


class Status(Shape):
    """Whether the guest may come in."""

    is_active: bool


class ChangeMe(Shape):
    """What a guest may change; an empty text clears, all but the name. Addresses of photos are ours alone to set."""

    name: Annotated[str | None, Trimmed, Field(max_length=150)] = None
    surname: Name = None
    middleName: Name = None
    date_of_birth: Birthday = None
    email: Email = None
    gender: Annotated[str | None, Trimmed, Field(max_length=16)] = None
    profile_photo_url: Annotated[str | None, Field(max_length=512)] = None

    def changes(self) -> dict[str, Any]:
        """In the words of the row; what was not sent, or is null, stays."""
        told = {
            "name": self.name or None,
            "surname": self.surname,
            "middle_name": self.middleName,
            "date_of_birth": self.date_of_birth,
            "email": self.email.lower() if self.email else self.email,
            "gender": self.gender,
        }
        return {name: value for name, value in told.items() if value is not None}


class UserPage(Shape):
    """A page of guests."""

    pagination: Pagination
    items: list[UserRead]


class UserDetail(UserRead):
    """A guest with the level, the newest movements and the waiter."""

    loyalty: LoyaltyRead
    transactions: list[CashbackRead]
    waiter: StaffRead | None


class Done(Shape):
    """It worked."""

    success: bool


def user_detail(client_id: int) -> dict[str, Any]:
    """Everything that a manager reads about one guest."""
    client = questions.one(client_id)
    return {
        **people.user_read(client),
        "loyalty": people.loyalty_read(client),
        "transactions": people.transactions_read(cashback.history(client.pk)),
        "waiter": people.staff_read(client.waiter) if client.waiter else None,
    }


class Users(StaffView):
    """`GET users`."""

    @endpoint(query=UserList, login="required", answers={200: UserPage}, refusals=[errors.Forbidden], summary="Guests")
    def get(self, request: Any, *, query: UserList) -> dict[str, Any]:
        """Newest first; a waiter reads his own, without balances (contract loyalty 1.2, row 10)."""
        by = request.member
        found = questions.matching(
            by=by, search=query.search.strip(), waiter_id=query.waiter, level=query.loyalty or ""
        )
        rows, total = page_of(found, page=query.page, size=query.size)
        return self.wire.paged([people.user_read(row, by) for row in rows], total, page=query.page, size=query.size)


class User(ManagerView):
    """`users/{id}`."""

    @endpoint(
        path=UserPath, login="required", answers={200: UserDetail}, refusals=[errors.ClientNotFound], summary="A guest"
    )
    def get(self, request: Any, *, user_id: int) -> dict[str, Any]:
        """Cards, level, newest movements, waiter (contract loyalty 1.2, row 11)."""
        return user_detail(user_id)

    @endpoint(
        path=UserPath,
        body=ChangeUser,
        login="required",
        answers={200: UserDetail},
        refusals=[errors.ClientNotFound, errors.WaiterNotFound],
        summary="Change a guest",
    )
    def patch(self, request: Any, *, user_id: int, body: ChangeUser) -> dict[str, Any]:
        """Names, birthday, waiter, gift (contract loyalty 1.2, row 12)."""
        clears = body.profile_photo_url == ""
        clients.update(by=request.member, client_id=user_id, changes=body.changes(), drops_photo=clears)
        return user_detail(user_id)


class UserStatus(ManagerView):
    """`POST users/{id}/status`: a button of the web client that the original never answered."""

    @endpoint(
        path=UserPath,
        body=Status,
        login="required",
        answers={200: UserDetail},
        refusals=[errors.ClientNotFound],
        summary="Shut a guest out, or let them in again",
    )
    def post(self, request: Any, *, user_id: int, body: Status) -> dict[str, Any]:
        """Every token of a guest who is shut out is dead (contract loyalty 1.7)."""
        clients.switch(by=request.member, client_id=user_id, is_active=body.is_active)
        return user_detail(user_id)


class UserMe(ClientView):
    """`users/me`."""

    @endpoint(
        body=ChangeMe, login="required", answers={200: UserRead}, refusals=[errors.EmailTaken], summary="My profile"
    )
    def put(self, request: Any, *, body: ChangeMe) -> dict[str, Any]:
        """Nothing sent, nothing changed (contract loyalty 1.2, row 13)."""
        me = clients.update_me(by=request.member, changes=body.changes(), drops_photo=body.profile_photo_url == "")
        return people.user_read(me)

    @endpoint(login="required", answers={204: None}, summary="Leave")
    def delete(self, request: Any) -> None:
        """The phone is free at once and every token is dead (contract loyalty 1.2, row 14)."""
        clients.delete(by=request.member)


class UserDelete(ClientView):
    """`DELETE user/delete`."""

    @endpoint(login="required", answers={200: Done}, summary="Leave (older address)")
    def delete(self, request: Any) -> dict[str, bool]:
        """The same deed (contract loyalty 1.2, row 15)."""
        clients.delete(by=request.member)
        return {"success": True}


urlpatterns = [
    path("api/v1/users", Users, name="users"),
    path("api/v1/users/me", UserMe, name="users-me"),
    path("api/v1/users/<str:user_id>", User, name="user"),
    path("api/v1/users/<str:user_id>/status", UserStatus, name="user-status"),
    path("api/v1/user/delete", UserDelete, name="user-delete"),
]
