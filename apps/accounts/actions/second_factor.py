"""Staff's second factor: an authenticator app (TOTP) and ten recovery codes, both kept by django-otp."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts import access, errors
from apps.accounts.actions import log
from apps.accounts.caller import NOWHERE, Caller
from apps.accounts.models import AuthLog, User

RECOVERY_CODES = 10


def has_second_factor(user: User) -> bool:
    """Whether the person has enrolled an authenticator app."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def enrolment(*, by: User) -> TOTPDevice:
    """The app's secret waiting to be confirmed; the same one until then. Raises `SecondFactorExists`."""
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=by.pk)
        if has_second_factor(by):
            raise errors.SecondFactorExists()
        return TOTPDevice.objects.get_or_create(user=by, confirmed=False, defaults={"name": "app"})[0]


def confirm(*, by: User, token: str, caller: Caller = NOWHERE) -> tuple[TOTPDevice, list[str]]:
    """The app shows the right digits: it counts from now on. Returns the recovery codes, to be shown once.

    Raises `SecondFactorWrong`, `SecondFactorExists`.
    """
    device = enrolment(by=by)
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().get(pk=device.pk)
        is_right = device.verify_token(_digits(token))
        if is_right:
            TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        codes = _recovery_codes(by) if is_right else []
    _note(by, caller, is_success=is_right, deed="enrolled")
    if not is_right:
        raise errors.SecondFactorWrong()
    return device, codes


def prove(*, by: User, token: str, caller: Caller = NOWHERE) -> Device:
    """Digits of the app, or a recovery code (which is used up). django-otp slows down guessing per device.

    Raises `SecondFactorWrong`.
    """
    digits = _digits(token)
    with transaction.atomic():
        devices: QuerySet[Any] = (TOTPDevice if digits.isdigit() else StaticDevice).objects.all()
        found = devices.select_for_update().filter(user=by, confirmed=True)
        device = next((device for device in found if device.verify_token(digits)), None)
    _note(by, caller, is_success=device is not None, deed="proved")
    if device is None:
        raise errors.SecondFactorWrong()
    return device


def new_recovery_codes(*, by: User, caller: Caller = NOWHERE) -> list[str]:
    """Ten fresh codes; the old ones are dead. Raises `SecondFactorMissing`."""
    if not has_second_factor(by):
        raise errors.SecondFactorMissing()
    with transaction.atomic():
        codes = _recovery_codes(by)
        _note(by, caller, is_success=True, deed="new recovery codes")
    return codes


def reset_second_factor(*, by: User | None, user: User, reason: str) -> None:
    """A phone was lost: take the factor away, so that the person enrols anew. Raises `MayNotManage`, `NotYourself`."""
    access.ensure_can_manage(by, user, "reset_second_factor")
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        log.write(AuthLog.Event.SECOND_FACTOR, user=user, by=by, reason=reason, facts={"deed": "reset"})


def _digits(token: str) -> str:
    return "".join(token.split()).replace("-", "").lower()


def _recovery_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery")
    codes = ["r" + secrets.token_hex(5) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def _note(user: User, caller: Caller, *, is_success: bool, deed: str) -> None:
    log.write(AuthLog.Event.SECOND_FACTOR, user=user, caller=caller, is_success=is_success, facts={"deed": deed})
