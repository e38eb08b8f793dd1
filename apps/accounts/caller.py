"""Where a request came from, as far as the login log, the limits and the list of sessions want to know."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from apps.core import throttle


@dataclass(frozen=True)
class Caller:
    """Address, device and product of a request. Tasks and tests leave it out."""

    address: str = ""
    user_agent: str = ""
    product: str = ""

    @property
    def neighbourhood(self) -> str:
        """What limits count the address as."""
        return throttle.neighbourhood(self.address)


NOWHERE = Caller()


def address_or_none(address: str) -> str | None:
    """The address as the column takes it; `unknown` and nonsense become NULL."""
    try:
        return str(ip_address(address))
    except ValueError:
        return None


def printable(text: str) -> str:
    """Without what a database cannot store or a screen cannot show."""
    return "".join(letter for letter in text if letter.isprintable())
