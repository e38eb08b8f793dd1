"""News (contract loyalty 1.5, rows 43 to 46)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty import errors
from apps.loyalty.actions import news
from apps.loyalty.api.base import ManagerView
from apps.loyalty.api.kept import kept_answer
from apps.loyalty.api.shapes import Changes
from apps.loyalty.api.wire import Id
from apps.loyalty.queries import news as questions

PRIORITIES = {"low": 0, "normal": 1, "medium": 1, "high": 2, "urgent": 3}
SMALLEST, LARGEST = -(2**31), 2**31 - 1


def _priority(given: Any) -> Any:
    return PRIORITIES.get(given.strip().lower(), given) if isinstance(given, str) else given


def _moment(given: Any) -> Any:
    """A day alone is its first moment; an empty text stays one, for whoever clears with it."""
    if not isinstance(given, str):
        return given
    text = given.strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _in_utc(given: Any) -> Any:
    """Times go out in UTC; one that comes without an offset is in UTC already."""
    if not isinstance(given, datetime):
        return given
    try:
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    except OverflowError as problem:
        raise ValueError("there is no such moment in UTC") from problem


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Words = Annotated[str, Field(max_length=20_000)]
Picture = Annotated[str | None, Field(max_length=500)]
Moment = Annotated[datetime | Literal[""] | None, BeforeValidator(_moment), AfterValidator(_in_utc)]
Priority = Annotated[int, BeforeValidator(_priority), Field(ge=SMALLEST, le=LARGEST)]


class NewsRead(Shape):
    """A piece of news."""

    id: int
    title: str
    description: str
    image_url: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    priority: int
    created_at: datetime
    link: str


class NewNews(Shape):
    """A piece of news to put up."""

    title: Title
    description: Words
    image_url: Picture = None
    starts_at: Moment = None
    ends_at: Moment = None
    priority: Priority = 0


class NewsChanges(Changes):
    """What changes; `null` keeps, an empty text clears picture and window."""

    title: Title | None = None
    description: Words | None = None
    image_url: Picture = None
    starts_at: Moment = None
    ends_at: Moment = None
    priority: Priority | None = None


class NewsPath(Shape):
    """Which piece."""

    news_id: Id


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a shape as the action takes them."""
    return {name: None if value == "" else value for name, value in values.items()}


class NewsList(ManagerView):
    """News for everybody, written by managers."""

    @endpoint(answers={200: list[NewsRead]}, summary="News")
    def get(self, request: Any) -> HttpResponse:
        """A bare list of what shows now, most important first."""
        return kept_answer(request, questions.showing(), seconds=30)

    @endpoint(
        body=NewNews, login="required", answers={200: NewsRead}, refusals=[errors.ManagersOnly], summary="Put up news"
    )
    def post(self, request: Any, *, body: NewNews) -> dict[str, Any]:
        """Without a window it shows at once and stays."""
        return questions.as_json(news.publish(by=request.member, **_read(body.model_dump())))


class AllNews(ManagerView):
    """What managers look after."""

    @endpoint(login="required", answers={200: list[NewsRead]}, refusals=[errors.ManagersOnly], summary="All news")
    def get(self, request: Any) -> list[dict[str, Any]]:
        """Scheduled and past ones too."""
        return questions.all_news()


class OneNews(ManagerView):
    """One piece of news."""

    @endpoint(path=NewsPath, answers={200: NewsRead}, refusals=[errors.NewsNotFound], summary="A piece of news")
    def get(self, request: Any, *, news_id: int) -> dict[str, Any]:
        """Where `link` leads; only inside its window."""
        return questions.one(news_id)

    @endpoint(
        path=NewsPath,
        body=NewsChanges,
        login="required",
        answers={200: NewsRead},
        refusals=[errors.ManagersOnly, errors.NewsNotFound],
        summary="Change news",
    )
    def put(self, request: Any, *, news_id: int, body: NewsChanges) -> dict[str, Any]:
        """Only what is given changes."""
        return questions.as_json(news.change(by=request.member, news_id=news_id, changes=_read(body.given())))

    patch = put

    @endpoint(
        path=NewsPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.NewsNotFound],
        summary="Take news down",
    )
    def delete(self, request: Any, *, news_id: int) -> None:
        """For good."""
        news.take_down(by=request.member, news_id=news_id)


urlpatterns = [
    path("api/v1/news", NewsList, name="news-list"),
    path("api/v1/news/all", AllNews, name="news-all"),
    path("api/v1/news/<str:news_id>", OneNews, name="news"),
]
