"""What the original answers with 400."""

from __future__ import annotations

from apps.core.errors import Refused


class BadRequest(Refused):
    """The original answers 400 here, not 409 or 422."""

    status = 400
    code = "bad_request"
