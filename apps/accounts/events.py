"""Facts about people. Products listen; accounts knows none of them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True)
class PersonRegistered(Event):
    """A new human. `product` is where he came in."""

    person_id: int
    product: str = ""


@dataclass(frozen=True)
class PersonBlocked(Event):
    """Staff shut the door; every token is dead."""

    person_id: int
    by_id: int | None = None


@dataclass(frozen=True)
class PersonUnblocked(Event):
    """Staff opened the door again."""

    person_id: int
    by_id: int | None = None


@dataclass(frozen=True)
class PersonsMerged(Event):
    """`gone_id` is the same human as `keep_id`. Listen with `@on` and re-point memberships.

    Note what you moved by `merge_id`.
    """

    merge_id: int
    keep_id: int
    gone_id: int


@dataclass(frozen=True)
class MergeUndone(Event):
    """They were two humans after all. Listen with `@on` and move back what `merge_id` moved."""

    merge_id: int
    keep_id: int
    gone_id: int


@dataclass(frozen=True)
class PersonErased(Event):
    """The person asked to be forgotten. Listen with `@on` and clear what names him; money and history stay."""

    person_id: int


@dataclass(frozen=True)
class CodeSuccessFell(Event):
    """Too few of the codes texted to a prefix are typed in: pumping, or a broken route."""

    day: str
    prefix: str
    sent_count: int
    proved_count: int


@dataclass(frozen=True)
class SmsCapReached(Event):
    """The day's money for codes is used up; phones without Telegram cannot sign in until midnight UTC."""

    day: str
