"""The back office's desk: who sits there, and a restaurant with something of everything."""

from __future__ import annotations

import contextlib
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.loyalty.actions import announcements, catalogue, clients, files, iiko_audit, iiko_notices, news
from apps.loyalty.actions.iiko_notices import Heard
from apps.loyalty.errors import GuestUnknown
from apps.loyalty.models import Card, Client, IikoNotice, Staff
from apps.loyalty.tests import cast
from apps.loyalty.tests.test_files import picture

SCREENS = (
    *("client", "cashbacktransaction", "card", "deletedphone", "staff", "iikojob", "iikonotice"),
    *("iikoreconciliation", "category", "product", "news", "announcement", "storedfile"),
)
NASTY = "<b>Gulnora</b>"


def at_work(person: User) -> Browser:
    """A browser that is signed in."""
    browser = Browser()
    browser.force_login(person)
    return browser


def superuser() -> Browser:
    """Somebody who may do everything."""
    return at_work(User.objects.create_superuser(username=f"boss{User.objects.count()}"))


def helper(*permissions: str) -> Browser:
    """A member of staff with some rights."""
    person = User.objects.create_user(username=f"helper{User.objects.count()}", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="loyalty"))
    return at_work(person)


def url(model: str, deed: str, *args: Any) -> str:
    """Address of a screen or a button."""
    return reverse(f"admin:loyalty_{model}_{deed}", args=args)


def restaurant(manager: Staff, waiter: Staff, mark: str = "1") -> Client:
    """One row of everything; returns the guest."""
    guest = cast.guest(NASTY, f"+99890222{int(mark):04d}", of=waiter)
    cast.earn(guest, 70_000)
    cast.iiko(guest, -50_000, cast.Kind.PAYMENT)
    Card.objects.create(client=guest, card_number=f"8600{mark:0>12}", card_track=f"{mark:0>20}")
    clients.delete(by=cast.guest("Left", f"+99890333{int(mark):04d}"))
    park(f"+99890444{int(mark):04d}", f"event-parked-{mark}")
    iiko_audit.reconcile()
    shelf = catalogue.add_category(by=manager, name=f"Soups {mark}")
    catalogue.add_product(by=manager, category_id=shelf.pk, name="Mastava", price=cast.Decimal(25_000))
    news.publish(by=manager, title="Nowruz", description=NASTY, starts_at=timezone.now())
    announcements.announce(by=manager, title="Closed on Monday", description=NASTY)
    files.add_news_image(by=manager, file=picture())
    return guest


def park(phone: str, event_id: str) -> IikoNotice:
    """A notice about a guest whom nobody knows."""
    with contextlib.suppress(GuestUnknown):
        iiko_notices.receive(
            heard=Heard(kind="Accrual", amount=cast.Decimal(500), event_id=event_id, wallet_id=event_id, phone=phone)
        )
    return IikoNotice.objects.get(event_id=event_id)
