"""What can be true about neighbourhood issues, by noun."""

from apps.tickets.models.districts import District
from apps.tickets.models.members import Member, SavedAddress
from apps.tickets.models.open311 import ApiKey, ServiceRequest
from apps.tickets.models.outcomes import Escalation, Feedback
from apps.tickets.models.photos import Photo, PhotoUpload
from apps.tickets.models.sla import SlaClock, SlaPolicy
from apps.tickets.models.teams import Category, Team
from apps.tickets.models.tickets import FINISHED, UNFINISHED, Comment, Edit, Follow, StatusLog, Ticket

__all__ = [
    "FINISHED",
    "UNFINISHED",
    "ApiKey",
    "Category",
    "Comment",
    "District",
    "Edit",
    "Escalation",
    "Feedback",
    "Follow",
    "Member",
    "Photo",
    "PhotoUpload",
    "SavedAddress",
    "ServiceRequest",
    "SlaClock",
    "SlaPolicy",
    "StatusLog",
    "Team",
    "Ticket",
]
