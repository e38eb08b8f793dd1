"""Guests, staff, cards and movements as clients read them (contract loyalty 1.1, "UserRead" to "CashbackRead")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core.wire import Shape
from apps.loyalty import access
from apps.loyalty.api.wire import birthday
from apps.loyalty.models import Card, Client, Staff
from apps.loyalty.queries import levels


class CardRead(Shape):
    """A loyalty card; its number is the QR code of the web client."""

    id: int
    user_id: int
    card_number: str
    card_track: str
    iiko_card_id: str | None
    created_at: datetime


class UserRead(Shape):
    """A guest."""

    id: int
    name: str | None
    phone: str
    waiter_id: int | None
    date_of_birth: str | None
    profile_photo_url: str | None
    cashback_balance: float
    email: str | None
    gender: str | None
    surname: str | None
    middleName: str | None
    is_deleted: bool
    is_active: bool
    giftget: bool
    level: str
    cards: list[CardRead]
    created_at: datetime
    updated_at: datetime


class StaffRead(Shape):
    """A manager or a waiter."""

    id: int
    name: str
    phone: str
    role: Staff.Role
    branch_id: int | None
    referral_code: str | None
    clients_count: int
    created_at: datetime
    updated_at: datetime


class CashbackRead(Shape):
    """One movement of cashback."""

    id: int
    user_id: int
    amount: float
    branch_id: int | None
    source: str
    staff_id: int | None
    balance_after: float
    created_at: datetime


class LoyaltyRead(Shape):
    """Balance, level and percentage under every name that a client of the original reads (contract loyalty 3.5)."""

    cashback_balance: float
    level: str
    points_total: float
    cashback_percent: float
    is_max_level: bool
    current_level_points: float
    current_level_min_points: int
    current_level_max_points: int | None
    next_level: str | None
    next_level_required_points: int | None
    points_to_next_level: float
    next_level_cashback_percent: float | None
    current_points: float
    current_level_min: int
    current_level_max: int | None
    next_level_points: int | None
    points_to_next: float


def card_read(card: Card) -> dict[str, Any]:
    """A card as JSON."""
    return {
        "id": card.pk,
        "user_id": card.client_id,
        "card_number": card.card_number,
        "card_track": card.card_track,
        "iiko_card_id": card.iiko_card_id,
        "created_at": card.created_at,
    }


def user_read(client: Client, by: Any = None, cards: Sequence[Card] | None = None) -> dict[str, Any]:
    """A guest as `by` sees them: waiters read a balance of 0 (contract loyalty 3.7). Needs `purse`;

    and `cards` unless given.
    """
    return {
        "id": client.pk,
        "name": client.name,
        "phone": client.phone,
        "waiter_id": client.waiter_id,
        "date_of_birth": birthday(client.date_of_birth),
        "profile_photo_url": client.profile_photo_url,
        "cashback_balance": seen_balance(client, by),
        "email": client.email,
        "gender": client.gender,
        "surname": client.surname,
        "middleName": client.middle_name,
        "is_deleted": client.is_deleted,
        "is_active": client.is_active,
        "giftget": client.giftget,
        "level": levels.shown_level(client.level),
        "cards": [card_read(card) for card in (client.cards.all() if cards is None else cards)],
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }


def seen_balance(client: Client, by: Any) -> Decimal:
    """The balance, or 0 for those who may not see it."""
    return client.balance if access.sees_balance(by) else Decimal(0)


def loyalty_read(client: Client, by: Any = None) -> Mapping[str, Any]:
    """The block `loyalty` of a guest as `by` sees it."""
    return levels.card(balance=seen_balance(client, by), points=client.points, level=client.level)


def staff_read(row: Staff, clients_count: int | None = None) -> dict[str, Any]:
    """Staff as JSON; the count is annotated or given."""
    return {
        "id": row.pk,
        "name": row.name,
        "phone": row.phone,
        "role": row.role,
        "branch_id": row.branch_id,
        "referral_code": row.referral_code,
        "clients_count": getattr(row, "clients_count", 0) if clients_count is None else clients_count,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def cashback_read(row: Mapping[str, Any], by: Any = None) -> dict[str, Any]:
    """A movement as JSON; the balance after it is hidden from waiters like every balance."""
    return {
        "id": row["id"],
        "user_id": row["client_id"],
        "amount": row["amount"],
        "branch_id": row["branch_id"],
        "source": row["source"],
        "staff_id": row["staff_id"],
        "balance_after": row["balance_after"] if access.sees_balance(by) else Decimal(0),
        "created_at": row["created_at"],
    }


def transactions_read(rows: Sequence[Mapping[str, Any]], by: Any = None) -> list[dict[str, Any]]:
    """A history as JSON."""
    return [cashback_read(row, by) for row in rows]
