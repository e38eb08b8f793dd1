"""Telling staff that a promised time has run out."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.notifications import actions as notifications
from apps.notifications import channels
from apps.notifications.actions.telling import Saying
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Member, SlaClock

KIND = "SLA_BREACHED"
MOST_TOLD = 200

TITLES = {
    SlaClock.Kind.FIRST_RESPONSE: _("A citizen waits for an answer too long"),
    SlaClock.Kind.RESOLUTION: _("A ticket is not solved in time"),
}


def register_kind() -> None:
    """For inbox and socket, unless a person switches them off."""
    channels.register_kind(KIND, channels.USUAL, _("Promised times that ran out"), product=PRODUCT)


def tell_of_broken_promise(*, clock_id: int) -> None:
    """To the support of the ticket's team and to all managers, once; not when the work was done meanwhile."""
    clock = SlaClock.objects.select_related("ticket").get(pk=clock_id)
    ticket = clock.ticket
    if clock.stopped_at or ticket.deleted_at:
        return
    near = Q(role=Member.Role.MANAGER) | Q(role=Member.Role.SUPPORT, team_id=ticket.team_id, team__isnull=False)
    told = Member.objects.living().filter(near, is_active=True).order_by("pk").values("user_id")[:MOST_TOLD]
    notifications.tell_many(
        users=User.objects.filter(pk__in=list(told.values_list("user_id", flat=True))),
        saying=Saying(
            product=PRODUCT,
            kind=KIND,
            title=TITLES[SlaClock.Kind(clock.kind)],
            body=_("{title}: due since {due}"),
            facts={"title": ticket.title, "due": f"{clock.due_at:%Y-%m-%d %H:%M} UTC"},
            payload={"ticket_id": str(ticket.pk)},
            key=f"sla:{clock.pk}",
        ),
    )
