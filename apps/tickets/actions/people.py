"""A membership follows its person: two rows become one human, come apart again, or are forgotten (design 3.8)."""

from __future__ import annotations

from django.utils import timezone

from apps.tickets.actions import talk
from apps.tickets.models import Member, Photo

FORGOTTEN = "—"


def follow(*, merge_id: int, keep_id: int, gone_id: int) -> None:
    """`gone` is `keep` from now on. When both are members here, `keep` goes on as he is known."""
    if not Member.objects.living().filter(user_id=keep_id).exists():
        Member.objects.living().filter(user_id=gone_id).update(user_id=keep_id, came_by_merge=merge_id)


def part(*, merge_id: int, gone_id: int) -> None:
    """They were two people after all: what came along goes back."""
    Member.objects.filter(came_by_merge=merge_id).update(user_id=gone_id, came_by_merge=None)


def forget(*, user_id: int) -> None:
    """What names a person goes, from other people's inboxes too, and where he took his pictures; tickets, comments and

    marks stay without him.
    """
    for member in Member.objects.filter(user_id=user_id):
        talk.forget(member)
        Photo.objects.filter(uploaded_by=member).update(latitude=None, longitude=None)
        member.addresses.all().delete()
        member.follows.all().delete()
        member.name, member.phone_number, member.email, member.team = FORGOTTEN, "", None, None
        member.deleted_at = member.updated_at = member.deleted_at or timezone.now()
        member.save()
