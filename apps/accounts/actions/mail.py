"""Links by e-mail: prove an address, replace a forgotten password, accept an invitation."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise

from apps.accounts import errors
from apps.accounts.actions import log, passwords, people
from apps.accounts.caller import NOWHERE, Caller
from apps.accounts.models import AuthLog, MailToken, User
from apps.core import texts
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure, port

SECONDS = {MailToken.Kind.VERIFY: 86_400, MailToken.Kind.INVITE: 86_400, MailToken.Kind.RESET: 3_600}
"""Lives of links where a product says nothing else (contract tickets 3.1)."""


@dataclass(frozen=True)
class Letter:
    """A product's words. `link` holds `{token}`; subject and text may hold `{name}`, the text holds `{link}`."""

    link: str
    subject: str | Promise
    text: str | Promise
    seconds: int = 0
    """Life of the link; 0 takes the house's for its kind."""


def send_mail_token(
    *,
    user: User,
    kind: MailToken.Kind,
    letter: Letter,
    email: str = "",
    caller: Caller = NOWHERE,
    now: datetime | None = None,
) -> MailToken:
    """Send a link to the person's e-mail (or to `email`, an address still to be proved). Earlier links of the kind die.

    Raises `MailNotSent`, after which the new link is gone too.
    """
    now, to = now or timezone.now(), (email or user.email or "").lower()
    raw = secrets.token_urlsafe(32)
    with transaction.atomic():
        user.mail_tokens.filter(kind=kind, product=caller.product, used_at=None, voided_at=None).update(voided_at=now)
        life = letter.seconds or SECONDS[kind]
        row = user.mail_tokens.create(
            kind=kind,
            product=caller.product,
            email=to,
            token_hash=_digest(raw),
            created_at=now,
            expires_at=now + timedelta(seconds=life),
        )
    try:
        _post(user, to, letter, raw)
    except (VendorBusy, VendorRefused) as problem:
        row.delete()
        raise errors.MailNotSent() from problem
    log.write(AuthLog.Event.MAIL_SENT, user=user, caller=caller, identifier=to, facts={"kind": kind.value})
    return row


def _post(user: User, to: str, letter: Letter, raw: str) -> None:
    with texts.speaking(user.language):
        words = {"name": user.get_short_name(), "link": letter.link.format(token=raw)}
        try:
            port("mail").send(to=to, subject=str(letter.subject).format(**words), text=str(letter.text).format(**words))
        except VendorUnsure:  # it may have arrived; asking again is one click
            return


def _digest(raw: str) -> str:
    """Plain SHA-256: the token itself is 256 random bits."""
    return hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()


def find_mail_token(token: str, kind: MailToken.Kind, *, now: datetime | None = None) -> MailToken:
    """The unused link behind a token. Raises `MailTokenWrong`, `MailTokenExpired`."""
    row = MailToken.objects.select_related("user").filter(token_hash=_digest(token), kind=kind).first()
    if row is None or row.used_at or row.voided_at or row.user.erased_at:
        raise errors.MailTokenWrong()
    if row.expires_at <= (now or timezone.now()):
        raise errors.MailTokenExpired()
    return row


def use_mail_token(
    token: str, kind: MailToken.Kind, *, caller: Caller = NOWHERE, now: datetime | None = None
) -> MailToken:
    """Use a link up, inside the transaction of what it allows; for products whose members keep their own address.

    Of two at once the second gets `MailTokenWrong`. Raises `MailTokenWrong`, `MailTokenExpired`.
    """
    now = now or timezone.now()
    row = find_mail_token(token, kind, now=now)
    if not MailToken.objects.filter(pk=row.pk, used_at=None, voided_at=None).update(used_at=now):
        raise errors.MailTokenWrong()
    log.write(AuthLog.Event.MAIL_USED, user=row.user, caller=caller, identifier=row.email, facts={"kind": kind.value})
    return row


def verify_email(token: str, *, caller: Caller = NOWHERE, now: datetime | None = None) -> User:
    """The address is the person's. Raises `MailTokenWrong`, `MailTokenExpired`, `EmailTaken`."""
    now = now or timezone.now()
    with transaction.atomic():
        row = use_mail_token(token, MailToken.Kind.VERIFY, caller=caller, now=now)
        return people.set_identifier(user=row.user, email=row.email, email_verified_at=now)


def reset_password(
    token: str,
    *,
    new: str,
    caller: Caller = NOWHERE,
    now: datetime | None = None,
    strength: passwords.Strength = passwords.check_strength,
) -> User:
    """Replace a forgotten password; older tokens die.

    Raises `MailTokenWrong`, `MailTokenExpired`, `PasswordTooWeak`.
    """
    now = now or timezone.now()
    with transaction.atomic():
        row = use_mail_token(token, MailToken.Kind.RESET, caller=caller, now=now)
        return passwords.set_password(user=row.user, new=new, caller=caller, now=now, strength=strength)


def accept_invite(token: str, *, new: str, caller: Caller = NOWHERE, now: datetime | None = None) -> User:
    """Set the first password; the address is proved with it.

    Raises `MailTokenWrong`, `MailTokenExpired`, `PasswordTooWeak`,

    `EmailTaken`.
    """
    now = now or timezone.now()
    with transaction.atomic():
        row = use_mail_token(token, MailToken.Kind.INVITE, caller=caller, now=now)
        people.set_identifier(user=row.user, email=row.email, email_verified_at=now)
        return passwords.set_password(user=row.user, new=new, caller=caller, now=now)
