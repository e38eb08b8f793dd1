"""One line in the login log, in the words that every action here shares."""

from __future__ import annotations

from typing import Any

from apps.accounts.caller import NOWHERE, Caller, address_or_none, printable
from apps.accounts.models import AuthLog, User
from apps.core import phones


def write(event: AuthLog.Event, *, user: User | None = None, caller: Caller = NOWHERE, **more: Any) -> AuthLog:
    """Add a line. `identifier` is masked here, so that nobody can forget it."""
    more["identifier"] = masked(more.get("identifier", ""))
    more["reason"] = more.get("reason", "")[:500]
    return AuthLog.objects.create(
        event=event,
        user=user,
        product=caller.product[:20],
        address=address_or_none(caller.address),
        user_agent=printable(caller.user_agent)[:255],
        **more,
    )


def masked(identifier: str) -> str:
    """`+998*****4567`, `a***@mail.uz`, `a***`: enough to recognise, too little to use."""
    name, at, host = identifier.partition("@")
    if at:
        return f"{name[:1]}***@{printable(host)}"[:40]
    return (
        phones.mask(identifier)[:40]
        if identifier.startswith("+")
        else f"{printable(identifier)[:1]}***"
        if identifier
        else ""
    )
