"""People come, change, are shut out and are forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import access, errors
from apps.accounts.actions import log
from apps.accounts.actions.passwords import Strength, check_strength
from apps.accounts.caller import NOWHERE, Caller
from apps.accounts.events import PersonBlocked, PersonErased, PersonRegistered, PersonUnblocked
from apps.accounts.models import IDENTIFIERS, AuthLog, Merge, OneTimeCode, User
from apps.core import events, texts
from apps.core.errors import Refused
from apps.integrations.telegram import TelegramProfile

TAKEN: dict[str, type[Refused]] = {
    "phone": errors.PhoneTaken,
    "email": errors.EmailTaken,
    "username": errors.UsernameTaken,
    "telegram_id": errors.TelegramTaken,
}


def person_from_telegram(profile: TelegramProfile, *, along: tuple[str, ...] = ()) -> User:
    """The person behind a proven Telegram profile; made on first sight, refreshed when the profile changed.

    One query for a known, unchanged person; `along` names rows to read in the same one (a product's membership).
    Raises `PersonBlocked` (contract urgent 1.0, 4.1).
    """
    known = User.objects.select_related(*along) if along else User.objects
    user = known.filter(telegram_id=profile.id).first() or _new_from_telegram(profile)
    if user.merged_into_id:
        user = _kept_row(user)
    elif changed := _changes(user, profile):
        User.objects.filter(pk=user.pk).update(**changed, updated_at=timezone.now())
    if not user.is_active:
        raise errors.PersonBlocked()
    return user


def _kept_row(user: User) -> User:
    while user.merged_into_id:
        user = User.objects.get(pk=user.merged_into_id)
    return user


def _new_from_telegram(profile: TelegramProfile) -> User:
    """Ten first requests at once make one person: the losers of the unique column read the winner's row."""
    language = profile.language_code[:2].lower()
    fields = {**_seen(profile), "language": language if language in texts.LANGUAGES else "ru"}
    try:
        with transaction.atomic():
            user = User(telegram_id=profile.id, can_message_bot=profile.allows_write_to_pm, **fields)
            user.set_unusable_password()
            user.save(force_insert=True)
            events.publish(PersonRegistered(person_id=user.pk, product="telegram"))
            return user
    except IntegrityError:
        return User.objects.get(telegram_id=profile.id)


def _seen(profile: TelegramProfile) -> dict[str, str]:
    """What Telegram tells, cut to our columns."""
    return {
        "first_name": profile.first_name[:150],
        "last_name": profile.last_name[:150],
        "telegram_username": profile.username[:32],
        "telegram_language": profile.language_code[:10],
        "photo_url": profile.photo_url[:512],
    }


def _changes(user: User, profile: TelegramProfile) -> dict[str, Any]:
    """What differs, set on `user` as well. Leave to write is only ever gained here; a blocked bot takes it away."""
    changed: dict[str, Any] = {name: value for name, value in _seen(profile).items() if getattr(user, name) != value}
    if profile.allows_write_to_pm and not user.can_message_bot:
        changed["can_message_bot"] = True
    for name, value in changed.items():
        setattr(user, name, value)
    return changed


def can_be_messaged(*, telegram_id: int, can: bool) -> bool:
    """Note that the person opened our bot (`/start`) or blocked it (403). Returns whether somebody was found."""
    return bool(User.objects.filter(telegram_id=telegram_id).update(can_message_bot=can))


def speak(*, user: User, language: str) -> None:
    """The person's app says in which language to write to them. Raises `ValueError` for one that the house has not."""
    if language not in texts.LANGUAGES:
        raise ValueError(f"no language {language!r}")
    User.objects.filter(pk=user.pk).exclude(language=language).update(language=language)


def register(
    *,
    phone: str | None = None,
    email: str | None = None,
    username: str | None = None,
    password: str | None = None,
    caller: Caller = NOWHERE,
    strength: Strength = check_strength,
    **profile: Any,
) -> User:
    """Make a person. `phone` is E.164.

    `profile` holds first_name, last_name, language, phone_verified_at, email_verified_at.

    Raises `NothingToKnowBy`, `PasswordTooWeak`, `PhoneTaken`, `EmailTaken`, `UsernameTaken`.
    """
    wanted = _identifiers(phone=phone, email=email, username=username)
    if not any(wanted.values()):
        raise errors.NothingToKnowBy()
    user = User(**wanted, **profile)
    if password is not None:
        strength(password, user)
    user.set_password(password)
    with transaction.atomic():
        _save_unique(user, wanted)
        log.write(AuthLog.Event.REGISTERED, user=user, caller=caller, identifier=phone or email or username or "")
        events.publish(PersonRegistered(person_id=user.pk, product=caller.product))
    return user


def _identifiers(**given: Any) -> dict[str, Any]:
    """Empty becomes NULL, e-mail and name become lower case."""
    cleaned = {name: value.strip() or None if isinstance(value, str) else value for name, value in given.items()}
    return {
        name: value.lower() if isinstance(value, str) and name != "phone" else value for name, value in cleaned.items()
    }


def _save_unique(user: User, wanted: Mapping[str, Any]) -> None:
    """Insert or update; the column that is taken names the refusal."""
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as problem:
        raise _taken(user, wanted) or problem from problem


def _taken(user: User, wanted: Mapping[str, Any]) -> Refused | None:
    for name, refusal in TAKEN.items():
        if wanted.get(name) and User.objects.filter(**{name: wanted[name]}).exclude(pk=user.pk).exists():
            return refusal()
    return None


def set_identifier(*, user: User, caller: Caller = NOWHERE, **wanted: Any) -> User:
    """Give the person a phone, e-mail, username or telegram_id, or take it away with None.

    The caller has proved that it is his; pass `phone_verified_at` / `email_verified_at` beside it.
    Raises `PhoneTaken`, `EmailTaken`, `UsernameTaken`, `TelegramTaken`, `NothingToKnowBy`.
    """
    with transaction.atomic():
        fresh = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        cleaned = _identifiers(**wanted)
        for name, value in cleaned.items():
            setattr(fresh, name, value)
        if not any(getattr(fresh, name) for name in IDENTIFIERS):
            raise errors.NothingToKnowBy()
        _save_unique(fresh, cleaned)
    return fresh


def block(*, by: User | None, user: User, reason: str, now: datetime | None = None) -> User:
    """Shut the door: no sign-in, every token dead. Repeating is free.

    Raises `MayNotManage`, `NotYourself`, `PersonNotFound`.
    """
    now = now or timezone.now()
    with transaction.atomic():
        person = lock(user)
        access.ensure_can_manage(by, person, "block")
        if person.blocked_at:
            return person
        person.blocked_at, person.block_reason, person.is_active = now, reason[:500], False
        revoke_tokens(person, why="blocked", now=now)
        person.save()
        log.write(AuthLog.Event.BLOCKED, user=person, by=by, reason=reason)
        events.publish(PersonBlocked(person_id=person.pk, by_id=by.pk if by else None))
    return person


def unblock(*, by: User | None, user: User, reason: str) -> User:
    """Open the door again; old tokens stay dead. Repeating is free.

    Raises `MayNotManage`, `NotYourself`, `PersonNotFound`.
    """
    with transaction.atomic():
        person = lock(user)
        access.ensure_can_manage(by, person, "block")
        if not person.blocked_at:
            return person
        person.blocked_at, person.block_reason, person.is_active = None, "", True
        person.save()
        log.write(AuthLog.Event.UNBLOCKED, user=person, by=by, reason=reason)
        events.publish(PersonUnblocked(person_id=person.pk, by_id=by.pk if by else None))
    return person


def lock(user: User) -> User:
    """The living row, locked. Raises `PersonNotFound` for an erased or merged person."""
    person = User.objects.select_for_update(of=("self",)).filter(pk=user.pk, erased_at=None, merged_into=None).first()
    if person is None:
        raise errors.PersonNotFound()
    return person


def revoke_tokens(person: User, *, why: str, now: datetime) -> None:
    """Kill everything issued so far: sessions by row, tokens without a session by date. The caller saves `person`."""
    person.sessions.filter(ended_at=None).update(ended_at=now, end_reason=why)
    person.tokens_valid_from = now


def erase(*, by: User | None, user: User, reason: str = "", now: datetime | None = None) -> None:
    """Forget a person: identifiers are free again, names, devices, codes and addresses are gone, tokens are dead.

    The row stays, because money and history point to it. A person may erase himself; staff need the right.
    Raises `MayNotManage`, `PersonNotFound`.
    """
    now = now or timezone.now()
    with transaction.atomic():
        person = lock(user)
        if by is None or by.pk != person.pk:
            access.ensure_can_manage(by, person, "erase")
        for row in [person, *_aliases(person)]:
            _forget(row, now)
        log.write(AuthLog.Event.ERASED, user=person, by=by, reason=reason)
        events.publish(PersonErased(person_id=person.pk))


def _aliases(person: User) -> list[User]:
    """Rows merged into this one, at any depth: the same human under other identifiers."""
    found: list[User] = []
    level: list[User] = list(person.merged_from.select_for_update(of=("self",)))
    while level:
        found += level
        level = list(User.objects.select_for_update(of=("self",)).filter(merged_into__in=level))
    return found


def _forget(person: User, now: datetime) -> None:
    revoke_tokens(person, why="erased", now=now)
    if person.phone:
        OneTimeCode.objects.filter(phone=person.phone).delete()
    person.mail_tokens.all().delete()
    person.sessions.update(address=None, user_agent="")
    person.auth_log.update(identifier="", address=None, user_agent="", facts={})
    Merge.objects.filter(keep=person).update(snapshot={})
    Merge.objects.filter(gone=person).update(snapshot={})
    person.totpdevice_set.all().delete()  # type: ignore[attr-defined]
    person.staticdevice_set.all().delete()  # type: ignore[attr-defined]
    person.groups.clear()
    person.user_permissions.clear()
    _blank(person, now)


def _blank(person: User, now: datetime) -> None:
    for name in (*IDENTIFIERS, "phone_verified_at", "email_verified_at", "blocked_at"):
        setattr(person, name, None)
    for name in ("first_name", "last_name", "photo_url", "telegram_username", "telegram_language", "block_reason"):
        setattr(person, name, "")
    person.set_unusable_password()
    person.can_message_bot = person.is_active = person.is_staff = person.is_superuser = False
    person.erased_at = now
    person.save()


def ensure_roles(table: Mapping[str, Iterable[str]]) -> None:
    """Make the groups of `table` (name → permissions as `app.codename`) hold exactly those permissions.

    For data migrations and `post_migrate`. Raises `LookupError` for a permission that does not exist.
    """
    known = {f"{p.content_type.app_label}.{p.codename}": p for p in Permission.objects.select_related("content_type")}
    with transaction.atomic():
        for name, wanted in table.items():
            if missing := sorted(set(wanted) - known.keys()):
                raise LookupError(f"role {name}: unknown permissions {', '.join(missing)}")
            Group.objects.get_or_create(name=name)[0].permissions.set([known[codename] for codename in wanted])
