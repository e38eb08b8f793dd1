"""Buyers (contract florist 1.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from pydantic import AfterValidator, Field, StringConstraints

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import access, errors
from apps.florist.actions import customers
from apps.florist.actions.customers import AddressWish, DateWish
from apps.florist.api.base import Body, FloristView, Id, Paging, Phone
from apps.florist.api.order_shapes import OrderOut
from apps.florist.models.customers import ensure_month_day
from apps.florist.queries import customers as questions
from apps.florist.queries import orders as order_questions


def _month_day(text: str) -> str:
    try:
        ensure_month_day(text)
    except ValidationError as problem:
        raise ValueError("day of a year as MM-DD expected") from problem
    return text


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
MonthDay = Annotated[str, AfterValidator(_month_day)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
LongText = Annotated[str, Field(max_length=customers.LONGEST_TEXT)]


class CustomerPath(Shape):
    """Which buyer."""

    customer_id: Id


class CustomerAddressIn(Body):
    """Where flowers go to."""

    address: Annotated[Words, Field(max_length=500)]
    label: Annotated[str | None, Field(max_length=100)] = None
    is_primary: bool = False

    def wish(self) -> AddressWish:
        """For the action."""
        return AddressWish(**self.model_dump())


class ImportantDateIn(Body):
    """A day that comes every year."""

    date: MonthDay
    description: Annotated[Words, Field(max_length=200)]
    remind_days_before: Annotated[int, Field(ge=0, le=60)] = 3

    def wish(self) -> DateWish:
        """For the action."""
        return DateWish(**self.model_dump())


Addresses = Annotated[list[CustomerAddressIn], Field(max_length=100)]
Dates = Annotated[list[ImportantDateIn], Field(max_length=100)]


class CustomerChange(Body):
    """Everything may stay away; a list replaces the old one."""

    phone: Phone | None = None
    name: Name | None = None
    email: Email | None = None
    notes: LongText | None = None
    preferences: LongText | None = None
    source: Annotated[str | None, Field(max_length=50)] = None
    agrees_to_reminders: bool | None = None
    addresses: Addresses | None = None
    important_dates: Dates | None = None

    def fields(self) -> dict[str, Any]:
        """Columns of the buyer that the caller named; the phone and the consent cannot be emptied."""
        given = self.model_dump(include=self.model_fields_set - {"addresses", "important_dates"})
        fixed = {"phone", "agrees_to_reminders"}
        return {name: value for name, value in given.items() if value is not None or name not in fixed}


class CustomerIn(CustomerChange):
    """A new buyer."""

    phone: Phone


class MergeIn(Body):
    """Two rows of one human."""

    keep_customer_id: Id
    merge_customer_id: Id


class CustomersQuery(Paging):
    """Piece of a name, an e-mail or a phone."""

    search: Annotated[str, Field(max_length=100)] = ""


class CustomerAddressOut(Shape):
    """Addr (contract 1.0)."""

    id: int
    customer_id: int
    address: str
    label: str | None
    is_primary: bool
    usage_count: int
    last_used_at: datetime | None
    created_at: datetime


class ImportantDateOut(Shape):
    """ImpDate (contract 1.0)."""

    id: int
    customer_id: int
    date: str
    description: str
    remind_days_before: int
    last_reminded_year: int | None
    created_at: datetime


class RfmOut(Shape):
    """One to five points each."""

    recency: int
    frequency: int
    monetary: int
    total: int


class CustomerOut(Shape):
    """CustomerOut (contract 1.0)."""

    id: int
    phone: str
    name: str | None
    email: str | None
    notes: str | None
    preferences: str | None
    source: str | None
    orders_count: int
    total_spent: float
    last_order_date: datetime | None
    created_at: datetime
    updated_at: datetime
    addresses: list[CustomerAddressOut]
    important_dates: list[ImportantDateOut]
    primary_address: CustomerAddressOut | None
    rfm_score: RfmOut


class CustomerPage(Shape):
    """A page of buyers."""

    items: list[CustomerOut]
    total: int


class CustomersView(FloristView):
    """Florists read, managers write."""

    needs = ("customers", "read")

    def sign_in(self, request: Any, login: Literal["required", "optional", "none"]) -> None:
        """Raises `NotEnoughPermissions` before the shape is looked at."""
        super().sign_in(request, login)
        if request.method != "GET":
            access.ensure_may(request.member, "customers", "write")


class Customers(CustomersView):
    """The shop's buyers."""

    @endpoint(summary="List customers", query=CustomersQuery, login="required", answers={200: CustomerPage})
    def get(self, request: Any, *, query: CustomersQuery) -> Any:
        """Newest first."""
        return self.wire.paged(*questions.listed(by=request.member, **query.model_dump()))

    @endpoint(
        summary="Create a customer",
        body=CustomerIn,
        login="required",
        answers={201: CustomerOut},
        refusals=[errors.PhoneTaken, errors.AddressKnown, errors.DateKnown],
    )
    def post(self, request: Any, *, body: CustomerIn) -> Any:
        """With addresses and dates; of several primary addresses the first counts."""
        made = customers.create(
            by=request.member,
            shop=request.member.shop,
            fields=body.fields(),
            addresses=[given.wish() for given in body.addresses or ()],
            dates=[given.wish() for given in body.important_dates or ()],
        )
        return questions.one(by=request.member, customer_id=made.pk)


class OneCustomer(CustomersView):
    """One buyer."""

    @endpoint(
        summary="Show a customer",
        path=CustomerPath,
        login="required",
        answers={200: CustomerOut},
        refusals=[errors.CustomerNotFound],
    )
    def get(self, request: Any, *, customer_id: int) -> Any:
        """With addresses, dates and marks."""
        return questions.one(by=request.member, customer_id=customer_id)

    @endpoint(
        summary="Change a customer",
        path=CustomerPath,
        body=CustomerChange,
        login="required",
        answers={200: CustomerOut},
        refusals=[errors.CustomerNotFound, errors.PhoneTaken, errors.AddressKnown, errors.DateKnown],
    )
    def put(self, request: Any, *, customer_id: int, body: CustomerChange) -> Any:
        """What is named changes; what stays in a list keeps its counters."""
        addresses, dates = body.addresses, body.important_dates
        customers.edit(
            by=request.member,
            customer_id=customer_id,
            fields=body.fields(),
            addresses=None if addresses is None else [given.wish() for given in addresses],
            dates=None if dates is None else [given.wish() for given in dates],
        )
        return questions.one(by=request.member, customer_id=customer_id)


class CustomerOrders(FloristView):
    """What a buyer ordered: for managers, couriers and florists see no history."""

    needs = ("orders", "read")

    @endpoint(
        summary="List a customer's orders",
        path=CustomerPath,
        query=Paging,
        login="required",
        answers={200: list[OrderOut]},
        refusals=[errors.CustomerNotFound],
    )
    def get(self, request: Any, *, customer_id: int, query: Paging) -> Any:
        """A bare array, newest first."""
        access.ensure_may(request.member, "customers", "read")
        found = questions.orders_of(by=request.member, customer_id=customer_id)
        return [order_questions.row(order) for order in found[query.skip : query.skip + query.limit]]


class CustomerAddresses(CustomersView):
    """Where to."""

    @endpoint(
        summary="Add an address",
        path=CustomerPath,
        body=CustomerAddressIn,
        login="required",
        answers={201: CustomerAddressOut},
        refusals=[errors.CustomerNotFound, errors.AddressKnown],
    )
    def post(self, request: Any, *, customer_id: int, body: CustomerAddressIn) -> Any:
        """A new primary one takes the place of the old."""
        made = customers.add_address(by=request.member, customer_id=customer_id, wish=body.wish())
        return questions.address_row(made)


class CustomerDates(CustomersView):
    """What to remember."""

    @endpoint(
        summary="Add an important date",
        path=CustomerPath,
        body=ImportantDateIn,
        login="required",
        answers={201: ImportantDateOut},
        refusals=[errors.CustomerNotFound, errors.DateKnown],
    )
    def post(self, request: Any, *, customer_id: int, body: ImportantDateIn) -> Any:
        """`MM-DD`; 29 February is kept on the 28th of other years."""
        made = customers.add_date(by=request.member, customer_id=customer_id, wish=body.wish())
        return questions.date_row(made)


class Merge(CustomersView):
    """Two rows of one human."""

    @endpoint(
        summary="Merge two customers",
        body=MergeIn,
        login="required",
        answers={201: CustomerOut},
        refusals=[errors.CustomerNotFound, errors.SameCustomer, errors.ChangedMeanwhile],
    )
    def post(self, request: Any, *, body: MergeIn) -> Any:
        """Nothing of the second is lost; it is deleted."""
        kept = customers.merge(by=request.member, keep_id=body.keep_customer_id, gone_id=body.merge_customer_id)
        return questions.one(by=request.member, customer_id=kept.pk)


class UpdateStats(CustomersView):
    """Counting on demand."""

    @endpoint(
        summary="Recount a customer",
        path=CustomerPath,
        login="required",
        answers={201: CustomerOut},
        refusals=[errors.CustomerNotFound],
    )
    def post(self, request: Any, *, customer_id: int) -> Any:
        """Paid orders only."""
        customers.update_stats(by=request.member, customer_id=customer_id)
        return questions.one(by=request.member, customer_id=customer_id)


urlpatterns = [
    path("api/customers/", Customers, name="customers"),
    path("api/customers/merge", Merge, name="customers-merge"),
    path("api/customers/<str:customer_id>", OneCustomer, name="customer"),
    path("api/customers/<str:customer_id>/orders", CustomerOrders, name="customer-orders"),
    path("api/customers/<str:customer_id>/addresses", CustomerAddresses, name="customer-addresses"),
    path("api/customers/<str:customer_id>/important-dates", CustomerDates, name="customer-dates"),
    path("api/customers/<str:customer_id>/update-stats", UpdateStats, name="customer-stats"),
]
