"""Links by e-mail: prove an address, accept an invitation, choose a new password (contract tickets 1.2, 3)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import actions as accounts
from apps.accounts.actions import NOWHERE, Caller, Letter
from apps.accounts.models import MailToken
from apps.core import events, throttle
from apps.core.throttle import Limit
from apps.tickets import errors
from apps.tickets.actions.passwords import ensure_strong
from apps.tickets.actions.sessions import limit_links
from apps.tickets.conf import PRODUCT
from apps.tickets.events import MemberRegistered, PasswordForgotten
from apps.tickets.models import Member
from apps.tickets.queries import members as questions

Kind = MailToken.Kind
HOUR = 3600
OURS = Caller(product=PRODUCT)
"""Letters leave after the request; links of other products stay good."""

PAGES = {Kind.VERIFY: "verify-email", Kind.INVITE: "set-password", Kind.RESET: "reset-password"}
"""The front end's page behind each link."""

WORDS: dict[str, tuple[Any, Any]] = {
    Kind.VERIFY: (
        _("Prove your e-mail address"),
        _("Hello, {name}. Please open this link to prove your e-mail address: {link}"),
    ),
    Kind.INVITE: (
        _("You are invited"),
        _("Hello, {name}. An account was made for you. Please choose a password: {link}"),
    ),
    Kind.RESET: (
        _("A new password"),
        _("Hello, {name}. To choose a new password open {link}. If you did not ask for it, do nothing."),
    ),
}


def send(*, member_id: str, kind: MailToken.Kind) -> None:
    """Send a fresh link; earlier ones of the kind die. Nothing to send when the member is gone or has no e-mail.

    Raises `accounts.MailNotSent`, so that the outbox tries again.
    """
    member = questions.living(member_id)
    if member is None or not member.email:
        return
    accounts.send_mail_token(user=member.user, kind=kind, letter=_letter(kind), email=member.email, caller=OURS)


def _letter(kind: MailToken.Kind) -> Letter:
    subject, text = WORDS[kind]
    seconds = HOUR if kind == Kind.RESET else settings.TICKETS.verification_hours * HOUR
    return Letter(f"{settings.TICKETS.app_url}/{PAGES[kind]}?token={{token}}", subject, text, seconds)


def verify_email(*, token: str, caller: Caller = NOWHERE) -> Member:
    """The address is the member's, who may sign in from now on; once per link.

    Raises `accounts.MailTokenWrong`, `MailTokenExpired`, `TooManyTries`, and `AlreadyVerified`.
    """
    limit_links(caller)
    with transaction.atomic():
        link, member = _opened(token, Kind.VERIFY, caller)
        if member.is_verified and link.user.email == link.email:
            raise errors.AlreadyVerified()
        member.is_verified = True
        member.save(update_fields=["is_verified"])
        _note_proof(link)
    return member


def _opened(token: str, kind: MailToken.Kind, caller: Caller) -> tuple[MailToken, Member]:
    """Use a link up; the member is locked. A letter to an address that is not the member's any more opens nothing:

    whoever reads that mailbox may be the stranger who typed the address. Raises `MailTokenWrong`, `MailTokenExpired`.
    """
    link = accounts.find_mail_token(token, kind)
    mine = Member.objects.living().select_for_update(of=("self",)).filter(user=link.user, email=link.email)
    member = mine.first()
    if member is None:
        raise accounts.MailTokenWrong()
    return accounts.use_mail_token(token, kind, caller=caller), member


def _note_proof(link: MailToken) -> None:
    """The house learns the address too, unless another person of it has proved the same one before."""
    try:
        accounts.set_identifier(user=link.user, email=link.email, email_verified_at=timezone.now())
    except accounts.EmailTaken:
        return


def resend(*, email: str, caller: Caller = NOWHERE) -> None:
    """A fresh link for an address that is still to be proved; says nothing about who exists.

    Raises `accounts.TooManyTries`.
    """
    _count("resend", settings.TICKETS.resend_limit, email, caller)
    member = questions.of_email(email)
    if member is not None and not member.is_verified:
        with transaction.atomic():
            events.publish(MemberRegistered(member_id=str(member.pk)))


def forgot_password(*, email: str, caller: Caller = NOWHERE) -> None:
    """A link to choose a new password; says nothing about who exists. Raises `accounts.TooManyTries`."""
    _count("forgot", settings.TICKETS.forgot_limit, email, caller)
    member = questions.of_email(email)
    if member is not None and member.is_active:
        with transaction.atomic():
            events.publish(PasswordForgotten(member_id=str(member.pk)))


def _count(what: str, limit: int, email: str, caller: Caller) -> None:
    """Per address and e-mail, and per e-mail from all addresses together: nobody's mailbox is flooded (D3)."""
    for subject, most in ((f"{caller.neighbourhood}|{email}", limit), (email, limit * 5)):
        throttle.hit(f"tickets:{what}", subject, Limit(most, HOUR), refusal=accounts.TooManyTries)


def reset_password(*, token: str, password: str, caller: Caller = NOWHERE) -> None:
    """A new password for whoever got the letter; everything signed in before is signed out.

    Raises `accounts.MailTokenWrong`, `MailTokenExpired`, `PasswordTooWeak`, `TooManyTries`.
    """
    limit_links(caller)
    with transaction.atomic():
        link, _member = _opened(token, Kind.RESET, caller)
        accounts.set_password(user=link.user, new=password, caller=caller, strength=ensure_strong)


def set_password(*, token: str, phone: str, password: str, caller: Caller = NOWHERE) -> Member:
    """An invited member chooses the first password; address and phone must be the invited ones.

    Raises `PhoneMismatch`, `accounts.MailTokenWrong`, `MailTokenExpired`, `PasswordTooWeak`, `TooManyTries`.
    """
    limit_links(caller)
    with transaction.atomic():
        link, member = _opened(token, Kind.INVITE, caller)
        if member.phone_number != phone:
            raise errors.PhoneMismatch()
        accounts.set_password(user=link.user, new=password, caller=caller, strength=ensure_strong)
        Member.objects.filter(pk=member.pk).update(is_verified=True)
        _note_proof(link)
    member.is_verified = True
    return member
