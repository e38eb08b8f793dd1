"""Refusals about tickets, teams and what becomes of them (contract tickets 1.3 to 1.5, 3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import errors
from apps.tickets.errors.requests import BadRequest


class CategoryNotFound(errors.NotFound):
    """No such category, or closed for new tickets."""

    code = "category_not_found"
    detail = "Category not found"
    message = _("There is no such category")


class CategoryNameTaken(errors.Conflict):
    """A category of this name exists, letter case aside."""

    code = "category_name_taken"
    detail = "Category with this name already exists"
    message = _("A category with this name exists")


class OtherCategoryFixed(errors.Conflict):
    """The category that takes what is left stays."""

    code = "other_category_fixed"
    detail = "The default category cannot be deleted"
    message = _("This category takes what is left, so it has to stay")


class TeamNotFound(errors.NotFound):
    """No such team."""

    code = "team_not_found"
    detail = "Team not found"
    message = _("There is no such team")


class TeamNameTaken(errors.Conflict):
    """A team of this name exists, letter case aside."""

    code = "team_name_taken"
    detail = "Team with this name already exists"
    message = _("A team with this name exists")


class FallbackTeamFixed(errors.Conflict):
    """The team that takes what nobody covers stays."""

    code = "fallback_team_fixed"
    detail = "The fallback team cannot be deleted"
    message = _("This team takes what nobody covers, so it has to stay")


class NotATeamMember(errors.NotFound):
    """The person is not in this team."""

    code = "not_a_team_member"
    detail = "User is not a member of this team"
    message = _("This person is not in the team")


class TicketNotFound(errors.NotFound):
    """No such ticket, or deleted."""

    code = "ticket_not_found"
    detail = "Ticket not found"
    message = _("There is no such ticket")


class NotYourTicket(errors.NotAllowed):
    """Somebody else reported it."""

    code = "not_your_ticket"
    detail = "You can only change your own tickets"
    message = _("Somebody else reported this")


class NotNewAnyMore(errors.NotAllowed):
    """Work has begun; the reporter can no longer change or delete it."""

    code = "not_new_any_more"
    detail = "Only new tickets can be changed or deleted"
    message = _("Work on this has begun, so it can no longer be changed")


class OthersReportedIt(errors.NotAllowed):
    """Other people's reports were merged into this ticket, so it is not its reporter's alone any more."""

    code = "others_reported_it"
    detail = "Other reports were merged into this ticket"
    message = _("Other people have reported this too, so it stays")


class TicketClosed(errors.NotAllowed):
    """The words of a closed ticket stay as they are."""

    code = "ticket_closed"
    detail = "Closed tickets cannot be edited"
    message = _("This ticket is closed")


class IllegalTransition(BadRequest):
    """The table does not know this step, or a request is waiting for the manager."""

    code = "illegal_transition"
    detail = "Invalid status transition from {from_status} to {to_status}"
    message = _("This status cannot follow the present one")


class TicketUnassigned(errors.NotAllowed):
    """No team has it yet."""

    code = "ticket_unassigned"
    detail = "Ticket is unassigned: no team is responsible for it"
    message = _("No team is responsible for this yet")


class OtherTeamsTicket(errors.NotAllowed):
    """Another team has it."""

    code = "other_teams_ticket"
    detail = "Ticket does not belong to your team"
    message = _("Another team is responsible for this")


class InternalForStaff(errors.NotAllowed):
    """Citizens do not write internal comments."""

    code = "internal_for_staff"
    detail = "Only staff can write internal comments"
    message = _("Only staff write internal comments")


class MergeIntoItself(BadRequest):
    """A ticket is no duplicate of itself."""

    code = "merge_into_itself"
    detail = "A ticket cannot be merged into itself"
    message = _("A ticket cannot be merged into itself")


class AlreadyMerged(errors.Conflict):
    """One of the two is a duplicate already; the original is the one to choose."""

    code = "already_merged"
    detail = "Ticket is already merged into another one"
    message = _("This ticket is a duplicate of another one already")


class EscalationNotFound(errors.NotFound):
    """No such request, or of another team."""

    code = "escalation_not_found"
    detail = "Escalation not found"
    message = _("There is no such request")


class EscalationWaiting(errors.Conflict):
    """One request at a time."""

    code = "escalation_pending"
    detail = "An escalation request is already pending for this ticket"
    message = _("A request for this ticket is waiting already")


class EscalationApproved(errors.NotAllowed):
    """A manager has taken it over before; that is once per ticket."""

    code = "escalation_approved"
    detail = "Escalation was already approved for this ticket"
    message = _("A manager has approved a request for this ticket before")


class AlreadyReviewed(errors.NotAllowed):
    """Somebody has decided."""

    code = "already_reviewed"
    detail = "Escalation has already been reviewed"
    message = _("This request is decided already")


class OnlyTheReporter(errors.NotAllowed):
    """Marks are given by who reported."""

    code = "only_the_reporter"
    detail = "Only the reporter can give feedback"
    message = _("Only who reported this can rate it")


class NotFinished(errors.NotAllowed):
    """There is nothing to rate yet."""

    code = "not_finished"
    detail = "Feedback can only be given for resolved or closed tickets"
    message = _("You can rate this when it is resolved")


class FeedbackExists(errors.Conflict):
    """One mark per ticket."""

    code = "feedback_exists"
    detail = "Feedback already exists for this ticket"
    message = _("You have rated this already")


class FeedbackNotFound(errors.NotFound):
    """Nobody has rated it, or not for these eyes."""

    code = "feedback_not_found"
    detail = "Feedback not found"
    message = _("There is no feedback")


class NotTheAuthor(errors.NotAllowed):
    """Somebody else's mark."""

    code = "not_the_author"
    detail = "You can only edit your own feedback"
    message = _("Somebody else wrote this")


class TooLateToChange(errors.NotAllowed):
    """The time to change one's mind is over."""

    code = "too_late_to_change"
    detail = "Feedback can only be edited within {hours} hours"
    message = _("You could change this within {hours} hours")
