"""What members told without proof, and what becomes of it when somebody proves it (contract tickets C2, C3, D1, D9)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts import queries as people
from apps.accounts.actions import NOWHERE, Caller
from apps.accounts.models import User
from apps.core import phones
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Member
from apps.tickets.queries import members as questions

NOTHING_PROVED = Q(is_verified=False, role=Member.Role.CITIZEN)
"""Registered, and that was all: neither the phone nor the e-mail address was ever proved."""

OTHER_DOOR = Q(is_verified=True, email__isnull=False) | ~Q(role=Member.Role.CITIZEN)
"""Comes in without a phone, or is staff: such an account stays with whoever made it."""


def make_way_for_proof(*, phone: str) -> None:
    """The caller has proved this phone: nobody keeps it who only named it. Call inside the transaction of the proof.

    Of whom nothing was proved nothing stays; who comes in by e-mail stays a member without the phone.
    """
    told = Member.objects.of_phone(phone).filter(is_phone_proved=False)
    now = timezone.now()
    told.filter(NOTHING_PROVED).update(deleted_at=now)
    told.filter(OTHER_DOOR).update(phone_number="", updated_at=now)


def make_way_when_stale(*, phone: str | None = None, email: str | None = None, but: Any = None) -> None:
    """Of whom nothing was proved for a day, he stands in nobody's way; member id `but` stays. Call in a transaction."""
    now = timezone.now()
    stale = NOTHING_PROVED & Q(created_at__lt=now - timedelta(hours=settings.TICKETS.verification_hours))
    if phone:
        Member.objects.of_phone(phone).filter(stale).exclude(pk=but).update(deleted_at=now)
    if email:
        Member.objects.living().filter(stale, email=email).exclude(pk=but).update(deleted_at=now)


def phone_is_theirs(member: Member, *, by: Member | None = None, caller: Caller = NOWHERE) -> Member:
    """The caller has just proved the phone of this locked member; returns the member that he is.

    A phone that was only told may be somebody else's. Then an account with another door stays with whoever made it and
    loses the phone; any other goes to the caller, without what a stranger may have typed. Whoever is signed in as the
    member (`by`) simply proves his own phone.
    """
    if member.is_phone_proved or (by is not None and by.pk == member.pk):
        return _proved(member)
    if Member.objects.filter(OTHER_DOOR, pk=member.pk).exists():
        make_way_for_proof(phone=member.phone_number)
        return _newcomer(member.phone_number, caller)
    return _handed_over(member, caller)


def _proved(member: Member) -> Member:
    """The person of the house gets the phone, unless he or another has proved one before."""
    if people.person(phone=member.phone_number) is None and not member.user.phone:
        accounts.set_identifier(user=member.user, phone=member.phone_number, phone_verified_at=timezone.now())
    member.is_verified = member.is_phone_proved = True
    member.save(update_fields=["is_verified", "is_phone_proved"])
    return member


def _handed_over(member: Member, caller: Caller) -> Member:
    """To the owner of its phone: links, sessions and the password stay with a person who is no member any more."""
    accounts.end_membership(user=member.user, audience=PRODUCT, subject=member.pk)
    known = {"first_name": member.name, "language": member.user.language}
    member.user, member.email = _owner_of(member.phone_number, caller, **known), None
    member.is_verified = member.is_phone_proved = True
    member.save(update_fields=["user", "email", "is_verified", "is_phone_proved"])
    return member


def _newcomer(phone: str, caller: Caller) -> Member:
    """A citizen of whom nothing is known here but the phone: the name beside it was somebody else's."""
    person = _owner_of(phone, caller, language=settings.TICKETS.language)
    return Member.objects.create(
        user=person,
        name=person.get_full_name()[:100] or phones.mask(phone),
        phone_number=phone,
        is_verified=True,
        is_phone_proved=True,
    )


def _owner_of(phone: str, caller: Caller, **profile: Any) -> User:
    """The person of the house with this proved phone; a new one where there is none, or where he is a member here

    under another number.
    """
    holder = people.person(phone=phone)
    if holder is not None and questions.of_person(holder) is None:
        return holder
    if holder is not None:
        return accounts.register(username=username(), caller=caller, **profile)
    return accounts.register(phone=phone, phone_verified_at=timezone.now(), caller=caller, **profile)


def username() -> str:
    """A person needs something to be known by; this is for those of whom nothing is proved."""
    return f"tickets-{uuid.uuid4()}"
