"""The caller himself: profile, what he wants to hear about (contract urgent 1.1, rows 10 to 14)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from apps.core.wire import Shape, endpoint
from apps.urgent import errors
from apps.urgent.actions import subscriptions
from apps.urgent.api.base import UrgentView
from apps.urgent.queries import members
from apps.urgent.queries import subscriptions as questions


class Profile(Shape):
    """The caller. `rating` is 0.0 without reviews; `balance` in whole roubles."""

    id: int
    first_name: str
    last_name: str | None
    username: str | None
    completed_orders: int
    active_orders: int
    rating: float
    balance: int


class Preferences(Shape):
    """Which new orders the caller wants to hear of; an empty list matches nothing."""

    categories: list[str] = Field(default=[], max_length=10)
    cities: list[str] = Field(default=[], max_length=20)


class NotificationSettings(Shape):
    """Whether messages are wanted, and the pause between two in minutes."""

    enabled: bool
    frequency: int


class NotificationChanges(Shape):
    """Only what is given changes."""

    enabled: bool | None = None
    frequency: int | None = Field(None, ge=5, le=15)


class Success(Shape):
    """Done."""

    success: bool


class Me(UrgentView):
    """The caller's profile."""

    @endpoint(login="required", answers={200: Profile}, summary="Who am I")
    def get(self, request: Any) -> dict[str, Any]:
        """Joins on first sight."""
        return members.profile(request.member)


class MyPreferences(UrgentView):
    """The caller's subscriptions."""

    @endpoint(login="required", answers={200: Preferences}, summary="What I want to hear of")
    def get(self, request: Any) -> dict[str, list[str]]:
        """Both lists in the order in which they were given."""
        return questions.preferences(request.member)

    @endpoint(
        body=Preferences,
        login="required",
        answers={200: Success},
        refusals=[errors.UnknownCategory, errors.UnknownCity],
        summary="Replace what I want to hear of",
    )
    def put(self, request: Any, *, body: Preferences) -> dict[str, bool]:
        """Replaces both lists; an omitted one is cleared."""
        subscriptions.set_preferences(by=request.member, categories=body.categories, cities=body.cities)
        return {"success": True}


class MyNotificationSettings(UrgentView):
    """The caller's message settings."""

    @endpoint(login="required", answers={200: NotificationSettings}, summary="My message settings")
    def get(self, request: Any) -> dict[str, Any]:
        """Off and ten minutes until changed."""
        return questions.notification_settings(request.member)

    @endpoint(body=NotificationChanges, login="required", answers={200: Success}, summary="Change my message settings")
    def put(self, request: Any, *, body: NotificationChanges) -> dict[str, bool]:
        """An empty object changes nothing."""
        subscriptions.set_notification_settings(by=request.member, enabled=body.enabled, frequency=body.frequency)
        return {"success": True}
