"""Everything that happened to a ticket and to its duplicates, in one list for the back office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.tickets.models import Comment, Edit, Escalation, Photo, StatusLog, Ticket

MOST = 200
"""Newest events of each kind; older ones are in the lists and the exports."""


@dataclass(frozen=True)
class Happening:
    """One line: when, what kind, what exactly, who (empty for the system and the back office)."""

    at: datetime
    kind: str
    what: str
    who: str


def of(ticket: Ticket) -> list[Happening]:
    """Newest first; five queries whatever its length."""
    here = Q(ticket=ticket) | Q(ticket__duplicate_of=ticket)
    found = [*_steps(here), *_comments(here), *_edits(here), *_requests(here), *_photos(here)]
    return sorted(found, key=attrgetter("at"), reverse=True)


def photos(ticket: Ticket) -> QuerySet[Photo]:
    """Pictures of a ticket and of its duplicates, reports before proofs."""
    found = Photo.objects.filter(Q(ticket=ticket) | Q(ticket__duplicate_of=ticket))
    return found.order_by("-photo_type", "uploaded_at", "pk")


def _name(member: object | None) -> str:
    return str(member) if member else ""


def _steps(here: Q) -> list[Happening]:
    labels = dict(Ticket.Status.choices)
    return [
        Happening(
            line.created_at,
            _("status"),
            " · ".join(filter(None, (_path(labels, line), line.comment))),
            _name(line.changed_by),
        )
        for line in StatusLog.objects.filter(here).select_related("changed_by")[:MOST]
    ]


def _path(labels: Mapping[Any, Any], line: StatusLog) -> str:
    to = str(labels[line.new_status])
    return f"{labels[line.old_status]} → {to}" if line.old_status else to


def _comments(here: Q) -> list[Happening]:
    return [
        Happening(
            said.created_at,
            _("internal comment") if said.is_internal else _("comment"),
            said.content,
            _name(said.author),
        )
        for said in Comment.objects.filter(here).select_related("author")[:MOST]
    ]


def _edits(here: Q) -> list[Happening]:
    return [
        Happening(edit.created_at, _("edit"), f"{edit.field}: {edit.old} → {edit.new}", _name(edit.by))
        for edit in Edit.objects.filter(here).select_related("by")[:MOST]
    ]


def _requests(here: Q) -> list[Happening]:
    return [
        Happening(asked.created_at, _("request"), asked.reason, _name(asked.requester))
        for asked in Escalation.objects.filter(here).select_related("requester")[:MOST]
    ]


def _photos(here: Q) -> list[Happening]:
    return [
        Happening(photo.uploaded_at, _("photo"), photo.filename, _name(photo.uploaded_by))
        for photo in Photo.objects.filter(here).select_related("uploaded_by")[:MOST]
    ]
