"""Refusals: what the house says no to, and how. One class per reason; the product's `wire` decides the envelope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """An expected "no". Subclasses give the HTTP status, a machine code, English words and a message for people.

    `detail` is the wire text that clients match on; `{placeholders}` are filled from the facts.
    `message` is a lazy translation with the same placeholders. `retry_after` is in seconds.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    detail: ClassVar[str] = "Refused"
    message: ClassVar[str | Promise] = _("This is not possible")

    def __init__(self, *, retry_after: int | None = None, **facts: Any) -> None:
        self.facts = facts
        self.retry_after = retry_after
        super().__init__(self.detail)

    def __str__(self) -> str:
        return self.detail.format(**self.facts) if self.facts else self.detail

    @property
    def words(self) -> str:
        """The message for people, in the active language."""
        return str(self.message).format(**self.facts) if self.facts else str(self.message)


class Unauthenticated(Refused):
    """Nobody is signed in, or the proof is not valid: 401."""

    status = 401
    code = "not_authenticated"
    detail = "Not authenticated"
    message = _("Please sign in")


class NeedsPayment(Refused):
    """Money is missing: 402."""

    status = 402
    code = "payment_required"
    detail = "Payment required"
    message = _("There is not enough money")


class NotAllowed(Refused):
    """Seen, but not permitted: 403."""

    status = 403
    code = "not_allowed"
    detail = "Not allowed"
    message = _("You may not do this")


class NotFound(Refused):
    """Absent, or not visible to the caller: 404."""

    status = 404
    code = "not_found"
    detail = "Not Found"
    message = _("Not found")


class Conflict(Refused):
    """The world has moved on: 409."""

    status = 409
    code = "conflict"
    detail = "Conflict"
    message = _("Somebody was quicker, please look again")


class Gone(Refused):
    """It was there, it is over: 410."""

    status = 410
    code = "gone"
    detail = "Gone"
    message = _("This is over")


class TooLarge(Refused):
    """More bytes than allowed: 413."""

    status = 413
    code = "too_large"
    detail = "File is larger than {megabytes} MB"
    message = _("The file is larger than {megabytes} MB")


class Invalid(Refused):
    """Badly formed input: 422. `errors` is a list in FastAPI's shape: type, loc, msg, input, ctx."""

    status = 422
    code = "invalid"
    detail = "Validation error"
    message = _("Please check the form")

    def __init__(self, errors: list[dict[str, Any]] | None = None, **facts: Any) -> None:
        super().__init__(**facts)
        self.errors = errors or []

    @classmethod
    def field(
        cls, name: str, msg: str, *, kind: str = "value_error", where: str = "body", given: Any = None
    ) -> Invalid:
        """One field is wrong."""
        return cls([{"type": kind, "loc": [where, name], "msg": msg, "input": given}])


class TooMany(Refused):
    """Too often: 429 with Retry-After."""

    status = 429
    code = "too_many_requests"
    detail = "Too many requests"
    message = _("Too often, please wait a little")


class VendorDown(Refused):
    """An outside service does not answer properly: 502."""

    status = 502
    code = "vendor_unavailable"
    detail = "Service temporarily unavailable"
    message = _("An outside service does not answer, please try again later")
