"""Every figure by hand (contract tickets 1.5, 4, C5, C12)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.testing import query_budget
from apps.tickets.models import Category, District, Member, Team, Ticket
from apps.tickets.queries import analytics
from apps.tickets.tests import city
from apps.tickets.tests.city import Phone, Role

NOBODY = "00000000-0000-4000-8000-000000000000"
"""Nobody's number, the same in every process of a test run."""

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city_districts")]
Status = Ticket.Status


@pytest.fixture
def manager() -> Phone:
    return Phone(city.member(Role.MANAGER))


@pytest.fixture
def support() -> Phone:
    return Phone(city.member(Role.SUPPORT))


def get(phone: Phone, path: str, **query: Any) -> Any:
    answer = phone.get(f"analytics/{path}", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_dashboard_of_an_empty_city(support: Phone) -> None:
    assert get(support, "dashboard") == {
        "total_tickets": 0,
        "open_tickets": 0,
        "resolved_tickets": 0,
        "closed_tickets": 0,
        "escalated_tickets": 0,
        "resolution_rate": 0.0,
        "average_rating": None,
        "average_resolution_hours": None,
    }


def test_the_dashboard(support: Phone) -> None:
    city.ticket()
    city.ticket(status=Status.IN_PROGRESS)
    city.ticket(status=Status.ESCALATED)
    city.rated(city.ticket(resolved_after_hours=10, days_ago=3), 5)
    city.rated(city.ticket(resolved_after_hours=1.5, days_ago=5, status=Status.CLOSED), 2)
    city.ticket(resolved_after_hours=0.125, days_ago=1)
    city.rated(city.ticket(resolved_after_hours=99, days_ago=31), 1)  # before the period
    city.rated(city.ticket(resolved_after_hours=99, deleted_at=timezone.now()), 1)
    assert get(support, "dashboard") == {
        "total_tickets": 6,
        "open_tickets": 2,
        "resolved_tickets": 2,
        "closed_tickets": 1,
        "escalated_tickets": 1,
        "resolution_rate": 50.0,
        "average_rating": 3.5,
        "average_resolution_hours": 3.88,
    }
    assert get(support, "dashboard", days=4)["total_tickets"] == 5


def test_a_mean_of_nought_is_not_absent(support: Phone) -> None:
    city.ticket(resolved_after_hours=0)
    assert get(support, "dashboard")["average_resolution_hours"] == 0.0


def test_the_rate_of_the_dashboard_has_four_decimals(support: Phone) -> None:
    city.ticket(resolved_after_hours=1)
    for _ in range(2):
        city.ticket()
    assert get(support, "dashboard")["resolution_rate"] == 33.3333


@pytest.fixture
def two_teams() -> tuple[Team, Team]:
    lamps, streets = Team.objects.create(name="Lamps"), Team.objects.create(name="Streets")
    city.member(Role.SUPPORT, lamps)
    gone = city.member(Role.SUPPORT, lamps)
    Member.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    city.rated(city.ticket(team=lamps, resolved_after_hours=4), 4)
    city.ticket(team=lamps, status=Status.CLOSED)
    city.ticket(team=lamps)
    city.ticket(team=lamps, days_ago=100)
    city.ticket(team=lamps, resolved_after_hours=9, days_ago=100)
    city.ticket(team=streets, status=Status.ESCALATED)
    city.ticket()
    return lamps, streets


def test_teams(manager: Phone, two_teams: tuple[Team, Team]) -> None:
    lamps, streets = two_teams
    found = get(manager, "teams")
    assert found["items"] == found["teams"]
    assert found["items"] == [
        {
            "team_id": str(lamps.pk),
            "team_name": "Lamps",
            "total_assigned": 3,
            "total_resolved": 2,
            "open_tickets": 2,
            "resolution_rate": 66.67,
            "average_resolution_hours": 4.0,
            "average_rating": 4.0,
            "member_count": 1,
        },
        {
            "team_id": str(streets.pk),
            "team_name": "Streets",
            "total_assigned": 1,
            "total_resolved": 0,
            "open_tickets": 0,
            "resolution_rate": 0.0,
            "average_resolution_hours": None,
            "average_rating": None,
            "member_count": 0,
        },
    ]


def test_members_by_who_is_the_assignee(manager: Phone) -> None:
    lamps = city.team()
    zeki, ada = city.member(Role.SUPPORT, lamps, name="Zeki"), city.member(Role.SUPPORT, lamps, name="Ada")
    city.rated(city.ticket(team=lamps, assignee=zeki, resolved_after_hours=2), 5)
    city.ticket(team=lamps, assignee=zeki, status=Status.IN_PROGRESS)
    city.ticket(team=lamps)
    found = get(manager, f"teams/{lamps.pk}/members")
    assert (found["team_id"], found["team_name"]) == (str(lamps.pk), lamps.name)
    assert found["items"] == found["members"]
    assert found["items"] == [
        {
            "user_id": str(ada.pk),
            "user_name": "Ada",
            "total_assigned": 0,
            "total_resolved": 0,
            "resolution_rate": 0.0,
            "average_resolution_hours": None,
            "average_rating": None,
        },
        {
            "user_id": str(zeki.pk),
            "user_name": "Zeki",
            "total_assigned": 2,
            "total_resolved": 1,
            "resolution_rate": 50.0,
            "average_resolution_hours": 2.0,
            "average_rating": 5.0,
        },
    ]


def test_members_of_no_team_are_404(manager: Phone) -> None:
    assert manager.get(f"analytics/teams/{uuid4()}/members").status_code == 404
    assert manager.get("analytics/teams/nonsense/members").status_code == 422


def only(*names: str) -> list[Category]:
    Category.objects.all().delete()
    return [city.category(name) for name in names]


def test_categories(manager: Phone) -> None:
    lighting, parks = only("Lighting", "Parks")
    city.category("Closed", is_active=False)
    city.ticket(of=lighting)
    city.ticket(of=lighting, status=Status.ESCALATED)
    city.rated(city.ticket(of=lighting, resolved_after_hours=1), 3)
    city.rated(city.ticket(of=lighting, status=Status.CLOSED), 4)
    assert get(manager, "categories") == {
        "items": [
            {
                "category_id": str(lighting.pk),
                "category_name": "Lighting",
                "total_tickets": 4,
                "open_tickets": 1,
                "resolved_tickets": 2,
                "escalated_tickets": 1,
                "average_rating": 3.5,
            },
            {
                "category_id": str(parks.pk),
                "category_name": "Parks",
                "total_tickets": 0,
                "open_tickets": 0,
                "resolved_tickets": 0,
                "escalated_tickets": 0,
                "average_rating": None,
            },
        ]
    }


def test_neighborhoods(manager: Phone) -> None:
    lighting, waste = only("Lighting", "Waste")
    for name, kind, count in (("Fatih", lighting, 1), ("Fatih", waste, 2), ("Kadıköy", waste, 2), ("Şile", waste, 1)):
        for _ in range(count):
            city.ticket(of=kind, district=city.district(name))
    city.ticket(of=waste, district=city.district("Şile"), deleted_at=timezone.now())
    city.ticket(of=waste)
    assert get(manager, "neighborhoods", limit=2) == {
        "items": [
            {
                "district": "Fatih",
                "total_tickets": 3,
                "category_breakdown": [
                    {"category_name": "Waste", "ticket_count": 2},
                    {"category_name": "Lighting", "ticket_count": 1},
                ],
            },
            {
                "district": "Kadıköy",
                "total_tickets": 2,
                "category_breakdown": [{"category_name": "Waste", "ticket_count": 2}],
            },
        ]
    }
    assert len(get(manager, "neighborhoods")["items"]) == 3
    for limit in (0, 21):
        assert manager.get("analytics/neighborhoods", limit=limit).status_code == 422


def test_two_cities_may_have_a_district_of_one_name(manager: Phone) -> None:
    (waste,), ours = only("Waste"), city.district("Fatih")
    other = District.objects.create(name="Fatih", city="Bursa", latitude=40.2, longitude=29.1)
    for district, count in ((other, 1), (ours, 2)):
        for _ in range(count):
            city.ticket(of=waste, district=district)
    assert get(manager, "neighborhoods")["items"] == [
        {
            "district": "Fatih",
            "total_tickets": count,
            "category_breakdown": [{"category_name": "Waste", "ticket_count": count}],
        }
        for count in (2, 1)
    ]


@pytest.mark.parametrize("path", ["feedback-trends", "feedback/trends"])
def test_feedback_trends_by_when_the_mark_was_given(manager: Phone, path: str) -> None:
    lighting, waste, closed = only("Lighting", "Waste", "Closed")
    Category.objects.filter(pk=closed.pk).update(is_active=False)
    for rating in (5, 4, 4):
        city.rated(city.ticket(of=lighting, days_ago=200), rating)
    city.rated(city.ticket(of=waste), 5)
    city.rated(city.ticket(of=waste), 1, days_ago=31)
    city.rated(city.ticket(of=closed), 5)
    city.rated(city.ticket(of=lighting, deleted_at=timezone.now()), 1)
    assert get(manager, path) == {
        "items": [
            {
                "category_id": str(waste.pk),
                "category_name": "Waste",
                "total_feedbacks": 1,
                "average_rating": 5.0,
                "rating_distribution": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 1},
            },
            {
                "category_id": str(lighting.pk),
                "category_name": "Lighting",
                "total_feedbacks": 3,
                "average_rating": 4.33,
                "rating_distribution": {"1": 0, "2": 0, "3": 0, "4": 2, "5": 1},
            },
        ]
    }


@pytest.mark.parametrize(
    ("quarter", "first", "after"),
    [(1, (2026, 1), (2026, 4)), (3, (2026, 7), (2026, 10)), (4, (2026, 10), (2027, 1))],
)
def test_the_borders_of_a_quarter(quarter: int, first: tuple[int, int], after: tuple[int, int]) -> None:
    found = analytics.quarter_of(2026, quarter)
    assert (found.since, found.until) == (datetime(*first, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC))


def test_the_quarterly_report(manager: Phone) -> None:
    (lighting,) = only("Lighting")
    lamps = city.team("Lamps")
    inside = datetime(2026, 5, 10, tzinfo=UTC)
    ticket = city.rated(city.ticket(of=lighting, team=lamps, resolved_after_hours=36), 4).ticket
    Ticket.objects.filter(pk=ticket.pk).update(
        created_at=inside, resolved_at=inside + (ticket.resolved_at - ticket.created_at)
    )
    for moment in (datetime(2026, 3, 31, 23, 59, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)):
        Ticket.objects.filter(pk=city.ticket(of=lighting).pk).update(created_at=moment)
    found = get(manager, "quarterly-report", year=2026, quarter=2)
    assert found.pop("team_rankings")[0]["team_name"] == lamps.name
    assert [row["category_name"] for row in found.pop("top_categories")] == ["Lighting"]
    assert found == {
        "quarter": 2,
        "year": 2026,
        "total_tickets": 1,
        "resolved_tickets": 1,
        "resolution_rate": 100.0,
        "average_resolution_days": 1.5,
        "average_rating": 4.0,
    }
    assert manager.get("analytics/quarterly-report", year=2026, quarter=5).status_code == 422


FOR_STAFF = ("dashboard", "heatmap")
FOR_MANAGERS = (
    *("teams", "categories", "neighborhoods", "feedback-trends", "sla", "export/teams"),
    f"teams/{NOBODY}/members",
    "quarterly-report?year=2026&quarter=1",
)


@pytest.mark.parametrize("path", [*FOR_STAFF, *FOR_MANAGERS])
def test_who_may_see_figures(path: str, support: Phone) -> None:
    assert Phone().get(f"analytics/{path}").status_code == 401
    citizen = Phone(city.member()).get(f"analytics/{path}")
    assert (citizen.status_code, citizen.json()["code"]) == (
        403,
        "staff_only" if path in FOR_STAFF else "managers_only",
    )
    assert support.get(f"analytics/{path}").status_code == (200 if path in FOR_STAFF else 403)


@pytest.mark.parametrize("path", ["dashboard", "teams", "categories", "neighborhoods", "feedback-trends", "sla"])
@pytest.mark.parametrize("days", [0, 366, "x"])
def test_periods_out_of_range_are_422(manager: Phone, path: str, days: Any) -> None:
    assert manager.get(f"analytics/{path}", days=days).status_code == 422


@pytest.mark.parametrize("path", ["dashboard/", "teams/", "heatmap/"])
def test_with_a_slash_too(manager: Phone, path: str) -> None:
    assert manager.get(f"analytics/{path}").status_code == 200


def test_queries_stay_few(two_teams: tuple[Team, Team]) -> None:
    for _ in range(5):
        team = city.team()
        city.ticket(team=team, assignee=city.member(Role.SUPPORT, team), of=city.category(), district=city.district())
    team_id = Team.objects.first().pk  # type: ignore[union-attr]
    for most, ask in (
        (1, lambda: analytics.dashboard(days=30)),
        (2, lambda: analytics.teams(days=30)),
        (3, lambda: analytics.members(team_id=team_id, days=30)),
        (2, lambda: analytics.categories(days=30)),
        (1, lambda: analytics.neighborhoods(days=30, limit=5)),
        (1, lambda: analytics.feedback_trends(days=30)),
        (5, lambda: analytics.quarterly_report(year=2026, quarter=4)),
    ):
        with query_budget(most):
            first = ask()
        with query_budget(0):
            assert ask() == first


def rows(answer: Any) -> list[list[str]]:
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_teams_for_a_spreadsheet(manager: Phone, two_teams: tuple[Team, Team]) -> None:
    Team.objects.filter(name="Streets").update(name="=HYPERLINK(1)")
    answer = manager.get("analytics/export/teams", days=90)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="teams-90-days.csv"'
    head, dangerous, lamps = rows(answer)
    assert head[:3] == ["team_id", "team_name", "total_assigned"]
    assert dangerous[1] == "'=HYPERLINK(1)"
    assert lamps[1:5] == ["Lamps", "3", "2", "66.67"]


def test_lists_within_lists_become_rows_and_columns(manager: Phone) -> None:
    (waste,) = only("Waste")
    ticket = city.ticket(of=waste, district=city.district())
    city.rated(ticket, 2)
    assert rows(manager.get("analytics/export/neighborhoods")) == [
        ["district", "category_name", "ticket_count"],
        ["Kadıköy", "Waste", "1"],
    ]
    head, line = rows(manager.get("analytics/export/feedback-trends"))
    assert head[-5:] == ["rated_1", "rated_2", "rated_3", "rated_4", "rated_5"]
    assert line[1:] == ["Waste", "1", "2.0", "0", "1", "0", "0", "0"]


def test_an_unknown_figure_is_422_and_an_empty_one_is_empty(manager: Phone) -> None:
    assert manager.get("analytics/export/secrets").status_code == 422
    assert Member.objects.exists()
    assert rows(manager.get("analytics/export/feedback-trends")) == []
