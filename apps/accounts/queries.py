"""Who is it? Look-ups that follow merged people to the row that stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Q, QuerySet

from apps.accounts.models import AuthLog, Session, SmsSpend, User
from apps.core import phones
from apps.core.errors import Invalid
from apps.core.rows import FixedRows


def person(**identifier: Any) -> User | None:
    """The person with this one identifier (phone in E.164, email, telegram_id, username, pk).

    A merged row leads to the kept one.
    """
    found = User.objects.filter(**identifier).first()
    while found is not None and found.merged_into_id:
        found = User.objects.get(pk=found.merged_into_id)
    return found


def person_called(text: str, *, country: str = "UZ") -> User | None:
    """The person who signs in with this text: an e-mail, a name, or a phone in any spelling of `country`."""
    wanted = text.strip().lower()
    if not wanted or "\x00" in wanted:
        return None
    if "@" in wanted:
        return person(email=wanted)
    # The phone first: else a stranger could name himself like somebody's phone and shut him out.
    return _by_phone(wanted, country) or person(username=wanted)


def _by_phone(text: str, country: str) -> User | None:
    phone = spelling(text, country=country)
    return person(phone=phone) if phone.startswith("+") else None


def spelling(text: str, *, country: str = "UZ") -> str:
    """One form for all spellings of a sign-in name: E.164 when it is a phone, else trimmed and in small letters."""
    wanted = text.strip().lower()
    if any(letter.isalpha() for letter in wanted):
        return wanted
    try:
        return phones.normalise(wanted, country)
    except Invalid:
        return wanted


def matching(text: str) -> QuerySet[User]:
    """People whose name, e-mail or phone contains `text`, or whose Telegram id equals it."""
    where = Q(phone__contains=text) | Q(email__icontains=text) | Q(username__icontains=text)
    where |= (
        Q(first_name__icontains=text) | Q(last_name__icontains=text) | Q(telegram_username__iexact=text.lstrip("@"))
    )
    if text.isascii() and text.isdigit() and len(text) < 17:
        where |= Q(telegram_id=int(text))
    return User.objects.filter(where)


def staff_with(right: str) -> QuerySet[User]:
    """Who works in the back office and holds a right (`app.codename`): by role, by hand, or as a superuser."""
    app, _dot, codename = right.partition(".")
    held = Permission.objects.filter(content_type__app_label=app, codename=codename)
    by_role, by_hand = Q(groups__permissions__in=held), Q(user_permissions__in=held)
    staff = User.objects.filter(is_staff=True, is_active=True)
    return staff.filter(Q(is_superuser=True) | by_role | by_hand).distinct().order_by("pk")


def login_log(*, product: str = "", user: User | None = None) -> QuerySet[AuthLog]:
    """The login log, newest first, of one product or one person."""
    rows = AuthLog.objects.select_related("user").order_by("-id")
    if product:
        rows = rows.filter(product=product)
    return rows.filter(user=user) if user else rows


SIGNED_IN = FixedRows(
    User,
    """
    SELECT {columns} FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
    WHERE s.id = %s AND s.audience = %s AND s.ended_at IS NULL AND s.expires_at > %s
    AND (u.tokens_valid_from IS NULL OR s.created_at >= u.tokens_valid_from)
    """,
    table="u",
)


def signed_in(*, session_id: UUID, audience: str, now: datetime) -> User | None:
    """The person of a living session (`Session.is_alive`). Fixed SQL: every request with a token asks (design 3.25)."""
    key = Session._meta.pk.get_db_prep_value(session_id, connection)
    moment = connection.ops.adapt_datetimefield_value(now)
    return next(iter(SIGNED_IN.models(key, audience, moment)), None)


def sms_spending(*, days: int = 30) -> QuerySet[SmsSpend]:
    """Texts, money and success per day and prefix, newest day first; the prefix `*` is the house."""
    return SmsSpend.objects.order_by("-day", "prefix")[: days * 20]
