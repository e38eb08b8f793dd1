"""Refusals that every noun knows; a row of another shop is not found, never forbidden (contract florist 1.0, 3.1)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, NotAllowed, NotFound, Refused


class BadRequest(Refused):
    """The original answers 400 here, not 409 or 422."""

    status = 400
    code = "bad_request"


class NotEnoughPermissions(NotAllowed):
    """The role or a switch does not allow it: 403."""

    code = "not_enough_permissions"
    detail = "Not enough permissions"
    message = _("Your role does not allow this")


class Gone(NotFound):
    """Base of the 404s: not there, or another shop's."""


class ChangedMeanwhile(Conflict):
    """Somebody else was faster: 409."""

    code = "changed_meanwhile"
    detail = "The row was changed meanwhile, reload it"
    message = _("Somebody changed this meanwhile. Reload and look again")
