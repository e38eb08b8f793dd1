"""Guests of a restaurant's loyalty system in our words: the port `loyalty_system` (contract loyalty 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

Gender = Literal["", "male", "female"]


@dataclass(frozen=True)
class GuestWallet:
    """One purse of a guest. `kind`: 0 deposit, 1 bonus, …, None when it is not told.

    `balance` None: not told, or `is_garbled`.
    """

    wallet_id: str
    kind: int | None = None
    balance: Decimal | None = None
    name: str = ""
    is_garbled: bool = False


@dataclass(frozen=True)
class GuestCard:
    """A card that the system knows; `number` as it was typed there."""

    card_id: str
    number: str = field(repr=False)
    track: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest as the system knows them. Empty texts and None mean "not told"."""

    guest_id: str
    name: str = field(default="", repr=False)
    surname: str = field(default="", repr=False)
    middle_name: str = field(default="", repr=False)
    full_name: str = field(default="", repr=False)
    birthday: date | None = field(default=None, repr=False)
    gender: Gender = ""
    email: str = field(default="", repr=False)
    is_deleted: bool = False
    wallets: tuple[GuestWallet, ...] = ()
    cards: tuple[GuestCard, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class GuestChanges:
    """What to write into a guest's record. None leaves a field as it is, an empty text clears it.

    `is_deleted` True strikes the guest off, False brings a struck-off one back.
    """

    name: str | None = field(default=None, repr=False)
    surname: str | None = field(default=None, repr=False)
    middle_name: str | None = field(default=None, repr=False)
    birthday: date | None = field(default=None, repr=False)
    gender: Gender | None = None
    email: str | None = field(default=None, repr=False)
    is_deleted: bool | None = None


@dataclass(frozen=True)
class GuestGroup:
    """A category of guests or a bonus programme: what both have in common."""

    group_id: str
    name: str
    is_active: bool
    wallet_id: str = ""


class LoyaltySystem(Protocol):
    """The restaurant's guest base: who the guest is, what is in the purse, which cards there are.

    Every method raises `VendorBusy`, `VendorRefused` and, when something may have been written, `VendorUnsure`.
    Writing is by phone or id and therefore free to repeat.
    """

    def is_configured(self) -> bool:
        """Whether we hold a login and an organisation."""
        ...

    def find_guest(self, *, phone: str, patience_s: float = 8.0) -> Guest | None:
        """The guest with this E.164 number, None when there is none. Waits for at most `patience_s` per try."""
        ...

    def save_guest(self, *, phone: str, changes: GuestChanges, guest_id: str = "") -> str:
        """Make or change the guest and answer the id; `guest_id` says which one when the number is not enough."""
        ...

    def add_card(self, *, guest_id: str, number: str, track: str) -> str:
        """Hang a card on the guest; answers the card's id, empty when the system does not tell it."""
        ...

    def categories(self) -> Sequence[GuestGroup]:
        """The organisation's guest categories."""
        ...

    def put_into_category(self, *, guest_id: str, category_id: str) -> None:
        """Add the guest to a category; again is free."""
        ...

    def programs(self) -> Sequence[GuestGroup]:
        """The organisation's bonus programmes, each with the purse that it fills."""
        ...

    def join_program(self, *, guest_id: str, program_id: str) -> str:
        """Let the guest take part; answers the id of their purse, empty when it is not told."""
        ...

    def is_genuine(self, password: str) -> bool:
        """Whether a notice carries our subscription password; anything goes while none is configured."""
        ...
