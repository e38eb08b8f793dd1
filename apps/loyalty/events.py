"""Facts that the restaurant's cashback announces. Phones and names stay in their rows: a fact holds ids."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.core.events import Event

# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ClientRegistered(Event):
    """A guest has proved a phone that no living account had. The restaurant's system may or may not know them."""

    client_id: int


@dataclass(frozen=True)
class ClientSeen(Event):
    """A guest known to the restaurant's system looked at their account; at most once in five minutes per guest."""

    client_id: int


@dataclass(frozen=True)
class ProfileChanged(Event):
    """A guest rewrote their profile. `fields`: which of name, surname, middle_name, date_of_birth, email, gender."""

    client_id: int
    fields: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PhotoDropped(Event):
    """No account shows this profile photo any more; `name` as in its address."""

    client_id: int
    name: str


@dataclass(frozen=True)
class ClientDeleted(Event):
    """A guest left. What the restaurant's system must be told stands in the `DeletedPhone` row: the real phone and

    their id there; the account's own row has neither any more.
    """

    client_id: int
    deleted_phone_id: int


@dataclass(frozen=True)
class ClientSwitchedOff(Event):
    """A manager shut a guest out; every session has ended. The account, the purse and the history are there."""

    client_id: int


@dataclass(frozen=True)
class CashbackChanged(Event):
    """A purse moved. `amount` is signed, both sums are decimal texts; `kind` is a `CashbackTransaction.Kind`."""

    client_id: int
    transaction_id: int
    amount: str
    balance: str
    kind: str


# ── Menu, news, notifications, the restaurant's system ──────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class BalanceDoubted(Event):
    """Two notices of one second contradict each other: which balance is the newer one, only iiko can say."""

    client_id: int
