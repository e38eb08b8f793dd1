"""The shop's card, its zones, slots and special days (contract florist 1.6, 3.7)."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import shops, zones
from apps.florist.actions.shops import ZoneWish
from apps.florist.api.base import Body, Email, FloristView, Money, Phone, Trimmed
from apps.florist.models import DeliverySlot, DeliveryZone, Shop, SpecialDay
from apps.florist.queries import shops as questions

Name = Annotated[str, Field(min_length=1, max_length=100), Trimmed]
ShopName = Annotated[str, Field(min_length=2, max_length=100), Trimmed]
ShopEmail = Annotated[Email, Field(max_length=100)]
Small = Annotated[int, Field(ge=0, le=32_767)]


def _clock(text: Any) -> Any:
    return f"{text}:00" if isinstance(text, str) and len(text) == 5 else text


def _of_the_day(clock: time) -> time:
    if clock.tzinfo is not None:
        raise ValueError("a time of the shop's day has no zone")
    return clock


Clock = Annotated[time, BeforeValidator(_clock), AfterValidator(_of_the_day)]
"""HH:MM of the shop's day."""


def _hours(hours: dict[str, list[str]]) -> dict[str, list[str]]:
    for pair in hours.values():
        first, last = (time.fromisoformat(text) for text in pair)
        if last <= first:
            raise ValueError("closing time must be after opening time")
    return hours


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = Annotated[
    dict[
        Day,
        Annotated[list[Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d$")]], Field(min_length=2, max_length=2)],
    ],
    AfterValidator(_hours),
]


class ShopOut(Shape):
    """A shop as its people see it."""

    id: int
    name: str
    phone: str
    email: str | None
    address: str | None
    city: str
    description: str | None
    business_hours: dict[str, Any] | None
    currency: str
    timezone: str
    language: str
    telegram_id: str | None
    telegram_username: str | None
    whatsapp_number: str | None
    shop_domain: str | None
    shop_logo_url: str | None
    is_active: bool
    is_verified: bool
    plan: str
    trial_ends_at: datetime | None
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None


def shop_out(shop: Shop) -> dict[str, Any]:
    """The shape of `ShopOut`."""
    return {name: getattr(shop, name) for name in ShopOut.model_fields}


class WorkingHours(Body):
    """From when until when."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    starts: Clock = Field(validation_alias="from")
    ends: Clock = Field(validation_alias="to")


class HoursOut(Shape):
    model_config = ConfigDict(populate_by_name=True)

    starts: str = Field(alias="from")
    ends: str = Field(alias="to")


class ZoneIn(Body):
    """A zone and its price; clients may send an order's minimum and words along."""

    name: Name
    price: Money
    min_order: Money | None = None
    description: Annotated[str, Field(max_length=255)] | None = None


class ZoneShort(Shape):
    name: str
    price: float


class CompanyOut(Shape):
    """The company's card."""

    id: int
    name: str
    address: str | None
    email: str | None
    phones: list[str]
    working_hours: HoursOut
    delivery_zones: list[ZoneShort]
    created_at: datetime
    updated_at: datetime | None


class CompanyEdit(Body):
    """What changes."""

    name: ShopName | None = None
    address: Annotated[str, Field(max_length=500)] | None = None
    email: ShopEmail | None = None
    phones: Annotated[list[Phone], Field(max_length=10)] | None = None
    working_hours: WorkingHours | None = None
    delivery_zones: Annotated[list[ZoneIn], Field(max_length=zones.MOST)] | None = None


class ShopFigures(ShopOut):
    """The shop with the figures by which it promises times."""

    phones: list[str]
    opens_at: str
    closes_at: str
    reserve_at: str
    lead_minutes: int
    pickup_lead_minutes: int
    days_ahead: int


class ShopEdit(Body):
    """What changes; phone, plan and the rest are not the shop's to change."""

    name: ShopName | None = None
    email: ShopEmail | None = None
    address: Annotated[str, Field(max_length=500)] | None = None
    city: Name | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None
    business_hours: Hours | None = None
    currency: Literal["KZT", "UZS"] | None = None
    timezone: Annotated[str, Field(max_length=40)] | None = None
    language: Shop.Language | None = None
    whatsapp_number: Phone | None = None
    shop_domain: Annotated[str, Field(max_length=50, pattern=r"^[a-z0-9.-]+$")] | None = None
    shop_logo_url: Annotated[str, Field(max_length=500, pattern=r"^(https://|/uploads/)")] | None = None
    reserve_at: Shop.ReserveAt | None = None
    lead_minutes: Annotated[int, Field(ge=0, le=2880)] | None = None
    pickup_lead_minutes: Annotated[int, Field(ge=0, le=2880)] | None = None
    days_ahead: Annotated[int, Field(ge=0, le=365)] | None = None


REQUIRED = frozenset(
    {"name", "city", "currency", "timezone", "language", "reserve_at"}
    | {"lead_minutes", "pickup_lead_minutes", "days_ahead"}
)
"""What cannot be emptied: null leaves it as it is."""


class ZoneOut(ZoneShort):
    """A zone with everything."""

    id: int
    min_order: float
    description: str
    daily_capacity: int | None
    is_active: bool
    position: int


class ZonePage(Shape):
    items: list[ZoneOut]
    total: int


class ZoneNew(ZoneIn):
    """A zone with everything."""

    daily_capacity: Small | None = None
    position: Small | None = None


class ZoneEdit(Body):
    """What changes."""

    name: Name | None = None
    price: Money | None = None
    min_order: Money | None = None
    description: Annotated[str, Field(max_length=255)] | None = None
    daily_capacity: Small | None = None
    is_active: bool | None = None
    position: Small | None = None


class ZoneAdded(Shape):
    message: str
    zones: list[ZoneOut]


class SlotOut(Shape):
    """A window of the day."""

    id: int
    starts_at: str
    ends_at: str
    capacity: int | None
    surcharge: float
    cutoff_minutes: int | None
    is_active: bool


class SlotNew(Body):
    starts_at: Clock
    ends_at: Clock
    capacity: Small | None = None
    surcharge: Money = Decimal(0)
    cutoff_minutes: Small | None = None
    is_active: bool = True


class SlotEdit(Body):
    starts_at: Clock | None = None
    ends_at: Clock | None = None
    capacity: Small | None = None
    surcharge: Money | None = None
    cutoff_minutes: Small | None = None
    is_active: bool | None = None


class SlotPage(Shape):
    items: list[SlotOut]
    total: int


class SpecialOut(Shape):
    """A day without delivery, or a feast."""

    id: int
    day: date
    kind: str
    title: str
    capacity: int | None
    preorder_days: int | None


class SpecialNew(Body):
    day: date
    kind: SpecialDay.Kind
    title: Annotated[str, Field(max_length=100)] = ""
    capacity: Small | None = None
    preorder_days: Annotated[int, Field(ge=0, le=365)] | None = None


class SpecialEdit(Body):
    day: date | None = None
    kind: SpecialDay.Kind | None = None
    title: Annotated[str, Field(max_length=100)] | None = None
    capacity: Small | None = None
    preorder_days: Annotated[int, Field(ge=0, le=365)] | None = None


class SpecialPage(Shape):
    items: list[SpecialOut]
    total: int


class RowPath(Shape):
    """A row's id."""

    row_id: Annotated[int, Field(ge=1, lt=2**63)]


CLEARABLE = frozenset({"daily_capacity", "capacity", "cutoff_minutes", "preorder_days"})
"""What null empties; for everything else null leaves it as it is."""

REFUSALS = (errors.NotEnoughPermissions, errors.RowNotFound, errors.NameTaken)


def _changes(body: Body, clearable: frozenset[str] = CLEARABLE) -> dict[str, Any]:
    given = body.model_dump(exclude_unset=True)
    return {name: value for name, value in given.items() if value is not None or name in clearable}


def zone_out(zone: DeliveryZone) -> dict[str, Any]:
    """The shape of `ZoneOut`."""
    return {name: getattr(zone, name) for name in ZoneOut.model_fields}


def slot_out(slot: DeliverySlot) -> dict[str, Any]:
    """The shape of `SlotOut`: clocks as HH:MM."""
    shown = {name: getattr(slot, name) for name in SlotOut.model_fields}
    return {**shown, "starts_at": f"{slot.starts_at:%H:%M}", "ends_at": f"{slot.ends_at:%H:%M}"}


def special_out(day: SpecialDay) -> dict[str, Any]:
    """The shape of `SpecialOut`."""
    return {name: getattr(day, name) for name in SpecialOut.model_fields}


class SettingsView(FloristView):
    """One tag; writing is looked at by the action, reading here."""

    tag = "settings"
    needs = ("settings", "read")


class Company(SettingsView):
    """The company's card."""

    @endpoint(summary="The company's card", login="required", answers={200: CompanyOut})
    def get(self, request: Any) -> dict[str, Any]:
        """Of the own shop."""
        return questions.figures(request.member.shop)

    @endpoint(
        summary="Change the company's card",
        body=CompanyEdit,
        login="required",
        answers={200: CompanyOut},
        refusals=[errors.NotEnoughPermissions, errors.EmailInUse, errors.NameTaken],
    )
    def patch(self, request: Any, *, body: CompanyEdit) -> dict[str, Any]:
        """`delivery_zones` replaces the list by names."""
        changes = _changes(body, frozenset({"address", "email"}))
        if "working_hours" in changes and body.working_hours:
            changes |= {"opens_at": body.working_hours.starts, "closes_at": body.working_hours.ends}
        wishes = [ZoneWish(**zone.model_dump()) for zone in body.delivery_zones] if body.delivery_zones else None
        for name in ("working_hours", "delivery_zones"):
            changes.pop(name, None)
        wishes = [] if body.delivery_zones == [] else wishes
        return questions.figures(shops.update(by=request.member, zones=wishes, **changes))


class ShopView(SettingsView):
    """The shop's figures; ours, for the manager's page."""

    @endpoint(summary="The shop's figures", login="required", answers={200: ShopFigures})
    def get(self, request: Any) -> dict[str, Any]:
        """Of the own shop."""
        return figures_out(request.member.shop)

    @endpoint(
        summary="Change the shop's figures",
        body=ShopEdit,
        login="required",
        answers={200: ShopFigures},
        refusals=[errors.NotEnoughPermissions, errors.EmailInUse, errors.NameTaken, errors.CurrencyFixed],
    )
    def patch(self, request: Any, *, body: ShopEdit) -> dict[str, Any]:
        """Those named."""
        changes = _changes(body, frozenset(ShopEdit.model_fields) - REQUIRED)
        return figures_out(shops.update(by=request.member, **changes))


def figures_out(shop: Shop) -> dict[str, Any]:
    """The shape of `ShopFigures`."""
    shown = {name: getattr(shop, name) for name in ShopFigures.model_fields}
    return {**shown, "opens_at": f"{shop.opens_at:%H:%M}", "closes_at": f"{shop.closes_at:%H:%M}"}


class Zones(SettingsView):
    """Delivery zones."""

    @endpoint(summary="List delivery zones", login="required", answers={200: ZonePage})
    def get(self, request: Any) -> dict[str, Any]:
        """In the shop's order, also those out of use."""
        found = questions.zones(request.member.shop, all_of_them=True)
        return self.wire.paged([zone_out(zone) for zone in found], len(found))

    @endpoint(summary="Add a zone", body=ZoneNew, login="required", answers={201: ZoneAdded}, refusals=REFUSALS)
    def post(self, request: Any, *, body: ZoneNew) -> dict[str, Any]:
        """Answers all zones in use."""
        zones.add(DeliveryZone, by=request.member, **_changes(body))
        found = questions.zones(request.member.shop)
        return {"message": "Delivery zone added", "zones": [zone_out(zone) for zone in found]}


class Zone(SettingsView):
    """One zone."""

    @endpoint(
        summary="Change a zone",
        path=RowPath,
        body=ZoneEdit,
        login="required",
        answers={200: ZoneOut},
        refusals=REFUSALS,
    )
    def patch(self, request: Any, *, row_id: int, body: ZoneEdit) -> dict[str, Any]:
        """Those named."""
        return zone_out(zones.change(DeliveryZone, by=request.member, row_id=row_id, **_changes(body)))

    @endpoint(summary="Take a zone out of use", path=RowPath, login="required", answers={204: None}, refusals=REFUSALS)
    def delete(self, request: Any, *, row_id: int) -> None:
        """Orders keep its name."""
        zones.remove(DeliveryZone, by=request.member, row_id=row_id)


class Slots(SettingsView):
    """Delivery slots."""

    @endpoint(summary="List slots", login="required", answers={200: SlotPage})
    def get(self, request: Any) -> dict[str, Any]:
        """By time."""
        found = questions.slots(request.member.shop)
        return self.wire.paged([slot_out(slot) for slot in found], len(found))

    @endpoint(summary="Add a slot", body=SlotNew, login="required", answers={201: SlotOut}, refusals=REFUSALS)
    def post(self, request: Any, *, body: SlotNew) -> dict[str, Any]:
        """Its times are the shop's clock."""
        return slot_out(zones.add(DeliverySlot, by=request.member, **body.model_dump()))


class Slot(SettingsView):
    """One slot."""

    @endpoint(
        summary="Change a slot",
        path=RowPath,
        body=SlotEdit,
        login="required",
        answers={200: SlotOut},
        refusals=REFUSALS,
    )
    def patch(self, request: Any, *, row_id: int, body: SlotEdit) -> dict[str, Any]:
        """Those named."""
        return slot_out(zones.change(DeliverySlot, by=request.member, row_id=row_id, **_changes(body)))

    @endpoint(summary="Remove a slot", path=RowPath, login="required", answers={204: None}, refusals=REFUSALS)
    def delete(self, request: Any, *, row_id: int) -> None:
        """Orders keep their times."""
        zones.remove(DeliverySlot, by=request.member, row_id=row_id)


class SpecialDays(SettingsView):
    """Days without delivery, and feasts."""

    @endpoint(summary="List special days", login="required", answers={200: SpecialPage})
    def get(self, request: Any) -> dict[str, Any]:
        """By date."""
        found = questions.special_days(request.member.shop)
        return self.wire.paged([special_out(day) for day in found], len(found))

    @endpoint(
        summary="Add a special day", body=SpecialNew, login="required", answers={201: SpecialOut}, refusals=REFUSALS
    )
    def post(self, request: Any, *, body: SpecialNew) -> dict[str, Any]:
        """One per date."""
        return special_out(zones.add(SpecialDay, by=request.member, **body.model_dump()))


class OneSpecialDay(SettingsView):
    """One special day."""

    @endpoint(
        summary="Change a special day",
        path=RowPath,
        body=SpecialEdit,
        login="required",
        answers={200: SpecialOut},
        refusals=REFUSALS,
    )
    def patch(self, request: Any, *, row_id: int, body: SpecialEdit) -> dict[str, Any]:
        """Those named."""
        return special_out(zones.change(SpecialDay, by=request.member, row_id=row_id, **_changes(body)))

    @endpoint(summary="Remove a special day", path=RowPath, login="required", answers={204: None}, refusals=REFUSALS)
    def delete(self, request: Any, *, row_id: int) -> None:
        """An ordinary day again."""
        zones.remove(SpecialDay, by=request.member, row_id=row_id)


urlpatterns = [
    path("api/settings/", Company, name="settings"),
    path("api/settings/shop", ShopView, name="settings-shop"),
    path("api/settings/delivery-zones", Zones, name="delivery-zones"),
    path("api/settings/delivery-zones/<str:row_id>", Zone, name="delivery-zone"),
    path("api/settings/slots", Slots, name="delivery-slots"),
    path("api/settings/slots/<str:row_id>", Slot, name="delivery-slot"),
    path("api/settings/special-days", SpecialDays, name="special-days"),
    path("api/settings/special-days/<str:row_id>", OneSpecialDay, name="special-day"),
]
