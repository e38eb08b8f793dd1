"""Customers: the caller himself, and the admin's list (contract shop 1.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from apps.accounts import actions as accounts
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.shop import errors
from apps.shop.actions import customers
from apps.shop.api.auth import MaybePhone, Name, Password
from apps.shop.api.base import AdminView, ShopView
from apps.shop.queries import customers as questions

BIGGEST_ID = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=BIGGEST_ID)]
Skip = Annotated[int, Field(ge=0, le=10_000_000)]


class Profile(Shape):
    """The caller."""

    name: str
    surname: str
    phone_number: str | None
    is_admin: bool


class FullProfile(Profile):
    """A customer as an admin sees him."""

    id: int
    email: str | None
    created_at: datetime
    updated_at: datetime


class Row(Profile):
    """A customer in the list."""

    id: int
    created_at: datetime


class CustomerPage(Shape):
    """One page of customers."""

    items: list[Row]
    total: int
    page: int
    pages: int
    has_next: bool
    has_prev: bool


class Filters(Shape):
    """Which customers."""

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    is_admin: bool | None = None
    search: Annotated[str, Field(max_length=100)] = ""


class Changes(Shape):
    """Only what is given changes; an empty phone is ignored."""

    name: Name | None = None
    surname: Name | None = None
    phone_number: MaybePhone = None
    is_admin: bool | None = None

    def given(self) -> dict[str, Any]:
        """The fields to change: `null` changes nothing."""
        names = ("name", "surname", "phone_number", "is_admin")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


class MyChanges(Changes):
    """The caller's words; a new password needs the present one."""

    current_password: Annotated[str | None, Field(max_length=128)] = None
    new_password: Password | None = None
    confirm_new_password: str | None = None

    @model_validator(mode="after")
    def _is_typed_twice(self) -> MyChanges:
        if self.new_password is not None and self.confirm_new_password not in (None, self.new_password):
            raise ValueError("passwords do not match")
        return self


class OnePath(Shape):
    """Which customer."""

    customer_id: Id


class Deleted(Shape):
    """Words, under the original's short name."""

    msg: str


class Users(AdminView):
    """The list."""

    tag = "users"

    @endpoint(
        query=Filters, login="required", answers={200: CustomerPage}, refusals=[errors.NotAnAdmin], summary="Customers"
    )
    def get(self, request: Any, *, query: Filters) -> dict[str, Any]:
        """Newest first; `search` looks into name, surname and phone."""
        items, total = questions.listed(
            by=request.member,
            skip=query.skip,
            limit=query.limit,
            is_admin=query.is_admin,
            search=query.search,
        )
        return self.wire.paged(items, total, skip=query.skip, limit=query.limit)


class Me(ShopView):
    """The caller."""

    tag = "users"

    @endpoint(login="required", answers={200: Profile}, summary="Who am I")
    def get(self, request: Any) -> dict[str, Any]:
        """Without an id, as the old clients expect."""
        return questions.profile(request.member)

    @endpoint(
        body=MyChanges,
        login="required",
        answers={200: Profile},
        refusals=[
            errors.OwnRightsFixed,
            errors.NameTaken,
            errors.PhoneTaken,
            errors.CurrentPasswordWrong,
            accounts.PasswordTooWeak,
            accounts.TooManyTries,
        ],
        summary="Change my words or password",
    )
    def put(self, request: Any, *, body: MyChanges) -> dict[str, Any]:
        """A new password ends every session, this one too."""
        customer = customers.update_me(
            by=request.member,
            changes=body.given(),
            current=body.current_password or "",
            new=body.new_password or "",
        )
        return questions.profile(customer)


class OneUser(AdminView):
    """One customer."""

    tag = "users"

    @endpoint(
        path=OnePath,
        login="required",
        answers={200: FullProfile},
        refusals=[errors.NotAnAdmin, errors.CustomerNotFound],
        summary="A customer",
    )
    def get(self, request: Any, *, customer_id: int) -> dict[str, Any]:
        """Nothing about the password (D3)."""
        return questions.full_profile(questions.one(by=request.member, customer_id=customer_id))

    @endpoint(
        path=OnePath,
        body=Changes,
        login="required",
        answers={200: FullProfile},
        refusals=[
            errors.NotAnAdmin,
            errors.CustomerNotFound,
            errors.NotYourOwnAccount,
            errors.NameTaken,
            errors.PhoneTaken,
        ],
        summary="Change a customer",
    )
    def put(self, request: Any, *, customer_id: int, body: Changes) -> dict[str, Any]:
        """Rights included; not one's own account."""
        changed = customers.update(by=request.member, customer_id=customer_id, changes=body.given())
        return questions.full_profile(changed)

    @endpoint(
        path=OnePath,
        login="required",
        answers={200: Deleted},
        refusals=[
            errors.NotAnAdmin,
            errors.CustomerNotFound,
            errors.NotYourOwnAccount,
            errors.CustomerHasPaidOrders,
        ],
        summary="Delete a customer",
    )
    def delete(self, request: Any, *, customer_id: int) -> dict[str, str]:
        """Whoever has paid orders stays."""
        customers.delete(by=request.member, customer_id=customer_id)
        return {"msg": "User deleted successfully"}


urlpatterns = [
    path("users", Users, name="user-list"),
    path("users/me", Me, name="me"),
    path("users/<str:customer_id>", OneUser, name="user"),
]
