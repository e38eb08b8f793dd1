"""Who is told what, in which words: nine kinds by inbox and socket, text messages about status (contract tickets 3).

Everything here is called after commit and bears being called twice: each saying has a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.notifications import actions as notifications
from apps.notifications import channels
from apps.notifications import queries as inbox
from apps.notifications.actions.telling import Saying
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Comment, Escalation, Follow, Member, StatusLog, Ticket
from apps.tickets.queries import members as questions

PREVIEW = 50
"""Letters of a comment or a reason that a message repeats."""

BATCH = 500
"""People told in one go."""

KINDS: dict[str, str | Promise] = {
    "TICKET_CREATED": _("Your report was received"),
    "TICKET_STATUS_CHANGED": _("A ticket has a new status"),
    "TICKET_FOLLOWED": _("Somebody follows your ticket"),
    "COMMENT_ADDED": _("A new comment"),
    "TICKET_ASSIGNED": _("A ticket was assigned to your team"),
    "ESCALATION_REQUESTED": _("A team asks for a decision"),
    "ESCALATION_APPROVED": _("An escalation was approved"),
    "ESCALATION_REJECTED": _("An escalation was rejected"),
    "NEW_TICKET_FOR_TEAM": _("A new ticket for your team"),
}
BODIES: dict[str, str | Promise] = {
    "TICKET_CREATED": _("Your ticket “{title}” was received."),
    "TICKET_STATUS_CHANGED": _("The status of “{title}” changed from {old} to {new}."),
    "TICKET_FOLLOWED": _("{name} follows your ticket “{title}”."),
    "COMMENT_ADDED": _("{name} commented on “{title}”: {preview}"),
    "TICKET_ASSIGNED": _("“{title}” was assigned to your team."),
    "ESCALATION_REQUESTED": _("{name} asks you to decide about “{title}”: {preview}"),
    "ESCALATION_APPROVED": _("The escalation of “{title}” was approved."),
    "ESCALATION_REJECTED": _("The escalation of “{title}” was rejected."),
    "NEW_TICKET_FOR_TEAM": _("A new ticket for your team: “{title}”."),
}
NAMELESS_COMMENT = _("The reporter commented on “{title}”: {preview}")
"""For other citizens, who do not learn who reported (C6)."""
STATUS_SMS = "TICKET_STATUS_SMS"
FOLLOWED_SMS = "FOLLOWED_TICKET_SMS"
SMS_TEXT = "{brand}: {number} numarali bildiriminiz {phrase}."
"""ASCII Turkish: one text message instead of two, and any phone shows it."""

PHRASES = {
    Ticket.Status.IN_PROGRESS: "isleme alindi",
    Ticket.Status.RESOLVED: "cozuldu",
    Ticket.Status.CLOSED: "kapatildi",
    Ticket.Status.ESCALATED: "yoneticiye iletildi",
}


def register_kinds() -> None:
    """Nine kinds for inbox and socket; texts for the reporter, and for followers who switch them on (D24)."""
    for kind, label in KINDS.items():
        channels.register_kind(kind, channels.USUAL, label, product=PRODUCT)
    channels.register_kind(STATUS_SMS, (channels.SMS,), _("Text messages about my tickets"), product=PRODUCT)
    channels.register_kind(FOLLOWED_SMS, (), _("Text messages about tickets that I follow"), product=PRODUCT)
    channels.register_phones(PRODUCT, questions.phones_of)


def of_new_ticket(*, ticket_id: str, team_id: str | None) -> None:
    """The reporter, and support of the team that got it; a team that got it since hears of the assignment."""
    ticket = _ticket(ticket_id)
    if ticket is None:
        return
    _tell("TICKET_CREATED", _people(Q(pk=ticket.reporter_id)), ticket, key=f"created:{ticket.pk}")
    if str(ticket.team_id) != team_id:
        return
    _tell("NEW_TICKET_FOR_TEAM", _support_of(ticket).filter(~Q(pk=ticket.reporter_id)), ticket, key=f"new:{ticket.pk}")


def of_status(*, log_id: str) -> None:
    """Reporter and followers except who did it; the reporter by text message too."""
    line = StatusLog.objects.select_related("ticket__reporter").filter(pk=log_id).first()
    if line is None or line.ticket.deleted_at:
        return
    ticket = line.ticket
    key = f"status:{line.pk}"
    audience = _audience(ticket).filter(~Q(pk=line.changed_by_id))
    facts = {"old": _label(line.old_status), "new": _label(line.new_status)}
    _tell("TICKET_STATUS_CHANGED", audience, ticket, key=key, **facts)
    if phrase := PHRASES.get(Ticket.Status(line.new_status)):
        _text(STATUS_SMS, audience.filter(pk=ticket.reporter_id), ticket, phrase, key)
        _text(FOLLOWED_SMS, audience.filter(~Q(pk=ticket.reporter_id)), ticket, phrase, key)


def _label(status: str | None) -> str | Promise:
    """The word for people, still to be translated for each of them."""
    return Ticket.Status(status or Ticket.Status.NEW).label


def of_follower(*, ticket_id: str, member_id: str) -> None:
    """The reporter, whose ticket somebody else follows."""
    ticket, follower = _ticket(ticket_id), questions.living(member_id)
    if ticket is None or follower is None:
        return
    key = f"followed:{ticket.pk}:{follower.pk}"
    _tell("TICKET_FOLLOWED", _people(Q(pk=ticket.reporter_id)), ticket, key=key, name=follower.name)


def of_comment(*, comment_id: str) -> None:
    """Reporter, followers and support of the team, each once, never the author; internal words stay inside.

    The reporter's own words have no name for other citizens.
    """
    said = Comment.objects.select_related("ticket", "author").filter(pk=comment_id, is_internal=False).first()
    if said is None or said.ticket.deleted_at or said.author is None:
        return
    ticket = said.ticket
    audience = (_audience(ticket) | _support_of(ticket)).filter(~Q(pk=said.author_id)).distinct()
    key, preview = f"comment:{said.pk}", said.content[:PREVIEW]
    strangers = Q(role=Member.Role.CITIZEN) if said.author_id == ticket.reporter_id else Q(pk__in=[])
    _tell("COMMENT_ADDED", audience.filter(strangers), ticket, key=key, body=NAMELESS_COMMENT, preview=preview)
    _tell("COMMENT_ADDED", audience.exclude(strangers), ticket, key=key, name=said.author.name, preview=preview)


def of_assignment(*, ticket_id: str, team_id: str, by_id: str | None, occasion: str) -> None:
    """Support of the new team, except the reporter and who did it. `occasion` tells one assignment from the next."""
    ticket = _ticket(ticket_id)
    if ticket is None or str(ticket.team_id) != team_id:
        return
    audience = _support_of(ticket).exclude(pk__in=[ticket.reporter_id, by_id or ticket.reporter_id])
    _tell("TICKET_ASSIGNED", audience, ticket, key=f"assigned:{ticket.pk}:{occasion}")


def of_escalation(*, escalation_id: str) -> None:
    """All managers, except one who asked himself."""
    asked = Escalation.objects.select_related("ticket", "requester").filter(pk=escalation_id).first()
    if asked is None:
        return
    managers = _people(Q(role=Member.Role.MANAGER)).filter(~Q(pk=asked.requester_id))
    facts = {"name": asked.requester.name if asked.requester else "–", "preview": asked.reason[:PREVIEW]}
    _tell("ESCALATION_REQUESTED", managers, asked.ticket, key=f"escalation:{asked.pk}", **facts)


def of_decision(*, escalation_id: str) -> None:
    """The reporter, and who asked."""
    asked = Escalation.objects.select_related("ticket").filter(pk=escalation_id).first()
    if asked is None or asked.status == Escalation.Status.PENDING:
        return
    audience = _people(Q(pk__in=[asked.ticket.reporter_id, asked.requester_id])).filter(~Q(pk=asked.reviewer_id))
    _tell(f"ESCALATION_{asked.status}", audience, asked.ticket, key=f"decision:{asked.pk}")


def forget(member: Member) -> None:
    """Messages that name a member go from everybody's inbox; what he wrote stays with its ticket, without his name."""
    written = Comment.objects.filter(author=member).order_by().values_list("pk", flat=True)
    asked = Escalation.objects.filter(requester=member).order_by().values_list("pk", flat=True)
    keys = [*(f"comment:{pk}" for pk in written), *(f"escalation:{pk}" for pk in asked)]
    for start in range(0, len(keys), BATCH):
        notifications.unsay(product=PRODUCT, keys=keys[start : start + BATCH])
    # Of tickets that he follows no more, too.
    notifications.unsay(product=PRODUCT, ending=f":{member.pk}")


def _ticket(ticket_id: str) -> Ticket | None:
    return Ticket.objects.living().filter(pk=ticket_id).first()


def _people(which: Q) -> QuerySet[Member]:
    return Member.objects.living().filter(which, is_active=True)


def _audience(ticket: Ticket) -> QuerySet[Member]:
    """Reporter and followers."""
    followers = Follow.objects.filter(ticket=ticket).values("member")
    return _people(Q(pk=ticket.reporter_id) | Q(pk__in=followers))


def _support_of(ticket: Ticket) -> QuerySet[Member]:
    return _people(Q(role=Member.Role.SUPPORT, team_id=ticket.team_id, team__isnull=False))


def _tell(
    kind: str, audience: QuerySet[Member], ticket: Ticket, *, key: str, body: str | Promise = "", **facts: Any
) -> None:
    saying = Saying(
        product=PRODUCT,
        kind=kind,
        title=KINDS[kind],
        body=body or BODIES[kind],
        payload={"ticket_id": str(ticket.pk)},
        facts={"title": ticket.title, **facts},
        key=key,
    )
    _in_batches(_user_ids(audience), saying)


def _text(kind: str, audience: QuerySet[Member], ticket: Ticket, phrase: str, key: str) -> None:
    """Only to those for whom texts of this kind are on: by default the reporter's are, a follower's are not."""
    is_usual = channels.SMS in channels.kind_of(PRODUCT, kind).channels
    everybody = _user_ids(audience)
    wished = inbox.switched(everybody, PRODUCT, kind)
    ids = [user_id for user_id in everybody if wished.get(user_id, {}).get(channels.SMS, is_usual)]
    words = SMS_TEXT.format(brand=settings.TICKETS.brand, number=str(ticket.pk)[:8], phrase=phrase)
    payload = {"ticket_id": str(ticket.pk)}
    saying = Saying(PRODUCT, kind, words, words, payload, key=f"{key}:sms", channels=(channels.SMS,))
    _in_batches(ids, saying)


def _user_ids(audience: QuerySet[Member]) -> list[int]:
    return sorted(set(audience.order_by().values_list("user_id", flat=True)))


def _in_batches(user_ids: Iterable[int], saying: Saying) -> None:
    ids = list(user_ids)
    for start in range(0, len(ids), BATCH):
        people = User.objects.filter(pk__in=ids[start : start + BATCH]).order_by("pk")
        notifications.tell_many(users=people, saying=saying)
