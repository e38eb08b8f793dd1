"""Letters to members, and what becomes of a membership when accounts learns something about its person."""

from __future__ import annotations

from apps.accounts.events import MergeUndone, PersonErased, PersonsMerged
from apps.accounts.models import MailToken
from apps.core import events
from apps.tickets.actions import letters, people
from apps.tickets.events import MemberInvited, MemberRegistered, PasswordForgotten


@events.after(MemberRegistered)
def ask_to_prove_the_address(event: MemberRegistered) -> None:
    letters.send(member_id=event.member_id, kind=MailToken.Kind.VERIFY)


@events.after(MemberInvited)
def send_the_invitation(event: MemberInvited) -> None:
    letters.send(member_id=event.member_id, kind=MailToken.Kind.INVITE)


@events.after(PasswordForgotten)
def send_the_reset_link(event: PasswordForgotten) -> None:
    letters.send(member_id=event.member_id, kind=MailToken.Kind.RESET)


@events.on(PersonsMerged)
def bring_the_membership_along(event: PersonsMerged) -> None:
    people.follow(merge_id=event.merge_id, keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(MergeUndone)
def take_the_membership_back(event: MergeUndone) -> None:
    people.part(merge_id=event.merge_id, gone_id=event.gone_id)


@events.on(PersonErased)
def forget_the_person(event: PersonErased) -> None:
    people.forget(user_id=event.person_id)
