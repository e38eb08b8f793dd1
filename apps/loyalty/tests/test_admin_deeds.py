"""Buttons and forms of the back office: each is one action; a refusal is shown and nothing has changed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts.models import Session, User
from apps.integrations.sandbox import vendors
from apps.loyalty.actions import doors, files, iiko_jobs
from apps.loyalty.models import (
    Announcement,
    CashbackTransaction,
    Category,
    Client,
    IikoJob,
    IikoReconciliation,
    News,
    Product,
    Staff,
    StoredFile,
)
from apps.loyalty.tests import cast, desk, restaurant
from apps.loyalty.tests.desk import url
from apps.loyalty.tests.test_files import picture, settle

State = IikoJob.State


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    """The second factor has tests of its own."""
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def boss(db: None) -> Browser:
    return desk.superuser()


def words(page: Any) -> str:
    """What the page says above everything else."""
    return " ".join(str(message) for message in page.context["messages"])


class TestCashback:
    def form(self, **more: str) -> dict[str, str]:
        return {"amount": "1500.50", "reason": "A cold soup", "key": "form-1", **more}

    def test_giving_writes_amount_reason_and_who(self, boss: Browser, gulnora: Client) -> None:
        assert boss.post(url("client", "give", gulnora.pk), self.form()).status_code == 302
        row = CashbackTransaction.objects.get(client=gulnora)
        assert (row.amount, row.balance_after, row.kind, row.note) == (
            *(Decimal("1500.50"), Decimal("1500.50")),
            *("added", "A cold soup"),
        )
        assert row.entry.by is not None
        assert row.entry.by.username.startswith("boss")

    def test_the_page_says_beforehand_what_becomes_of_a_gift(self, boss: Browser, gulnora: Client) -> None:
        assert "lasts only until iiko tells the balance" in boss.get(url("client", "give", gulnora.pk)).content.decode()
        assert "lasts only until" not in boss.get(url("client", "take", gulnora.pk)).content.decode()

    def test_and_so_it_becomes(self, boss: Browser, gulnora: Client) -> None:
        restaurant.introduce(gulnora, 100)
        boss.post(url("client", "give", gulnora.pk), self.form())
        assert cast.balance(gulnora) == Decimal("1600.50")
        boss.post(url("client", "read_iiko", gulnora.pk))
        assert cast.balance(gulnora) == 100
        assert CashbackTransaction.objects.latest("pk").amount == Decimal("-1500.50")

    def test_a_form_sent_twice_moves_money_once(self, boss: Browser, gulnora: Client) -> None:
        for _ in range(2):
            boss.post(url("client", "give", gulnora.pk), self.form())
        assert cast.balance(gulnora) == Decimal("1500.50")

    def test_taking_goes_down_to_zero_and_not_below(self, boss: Browser, gulnora: Client) -> None:
        cast.earn(gulnora, 2_000)
        boss.post(url("client", "take", gulnora.pk), self.form())
        assert cast.balance(gulnora) == Decimal("499.50")
        page = boss.post(url("client", "take", gulnora.pk), self.form(key="form-2"), follow=True)
        assert "not so much cashback" in words(page)
        assert cast.balance(gulnora) == Decimal("499.50")
        assert CashbackTransaction.objects.filter(client=gulnora, kind="taken").count() == 1

    @pytest.mark.parametrize("wrong", [{"amount": "0"}, {"amount": "-5"}, {"amount": "x"}, {"reason": ""}])
    def test_a_form_without_amount_or_reason_moves_nothing(
        self, boss: Browser, gulnora: Client, wrong: dict[str, str]
    ) -> None:
        assert boss.post(url("client", "give", gulnora.pk), self.form(**wrong)).status_code == 200
        assert cast.balance(gulnora) == 0

    def test_each_direction_has_its_own_right(self, gulnora: Client) -> None:
        cast.earn(gulnora, 2_000)
        giver = desk.helper("view_client", "add_cashback")
        assert giver.post(url("client", "take", gulnora.pk), self.form()).status_code == 403
        taker = desk.helper("view_client", "take_cashback")
        assert taker.post(url("client", "give", gulnora.pk), self.form()).status_code == 403
        looker = desk.helper("view_client", "change_client")
        for deed in ("give", "take"):
            assert looker.post(url("client", deed, gulnora.pk), self.form()).status_code == 403
        assert cast.balance(gulnora) == 2_000
        giver.post(url("client", "give", gulnora.pk), self.form())
        assert cast.balance(gulnora) == Decimal("3500.50")

    def test_a_guest_who_left_has_no_buttons_and_gets_nothing(self, boss: Browser, gulnora: Client) -> None:
        cast.clients.delete(by=gulnora)
        assert "Give cashback" not in boss.get(url("client", "change", gulnora.pk)).content.decode()
        boss.post(url("client", "give", gulnora.pk), self.form())
        assert not CashbackTransaction.objects.exists()


class TestGuests:
    def form(self, client: Client, **more: Any) -> dict[str, Any]:
        return {"name": client.name, "date_of_birth": "", "waiter": client.waiter_id or "", **more}

    def test_another_waiter_and_the_gift(self, boss: Browser, gulnora: Client, umid: Staff) -> None:
        boss.post(url("client", "change", gulnora.pk), self.form(gulnora, waiter=umid.pk, giftget="on"))
        gulnora.refresh_from_db()
        assert (gulnora.waiter_id, gulnora.giftget) == (umid.pk, True)

    def test_a_new_name_goes_to_iiko(self, boss: Browser, gulnora: Client) -> None:
        boss.post(url("client", "change", gulnora.pk), self.form(gulnora, name="Gulnora B."))
        assert Client.objects.get(pk=gulnora.pk).name == "Gulnora B."
        assert ("flush_profile", "pending") in restaurant.jobs(gulnora)

    def test_a_manager_is_no_waiter(self, boss: Browser, gulnora: Client, malika: Staff, vali: Staff) -> None:
        page = boss.post(url("client", "change", gulnora.pk), self.form(gulnora, waiter=malika.pk), follow=True)
        assert words(page)
        gulnora.refresh_from_db()
        assert gulnora.waiter_id == vali.pk

    def test_reading_from_iiko_levels_the_purse(self, boss: Browser, gulnora: Client) -> None:
        restaurant.introduce(gulnora, 100)
        vendors.iiko.people[gulnora.phone].balance = Decimal(7_000)
        page = boss.post(url("client", "read_iiko", gulnora.pk), follow=True)
        assert "cashback_balance" in words(page)
        assert cast.balance(gulnora) == 7_000

    @pytest.fixture
    def role(self, db: None) -> Browser:
        """Somebody with the role "Restaurant manager", who sees the queue to iiko and may not steer it."""
        person = User.objects.create_user(username="restaurateur", is_staff=True)
        person.groups.add(Group.objects.get(name="Restaurant manager"))
        return desk.at_work(person)

    def test_the_role_reads_from_iiko_and_a_paused_reading_goes_on(self, role: Browser, gulnora: Client) -> None:
        restaurant.introduce(gulnora, 100)
        vendors.iiko.people[gulnora.phone].balance = Decimal(7_000)
        iiko_jobs.ask(by=None, client_id=gulnora.pk, operation=IikoJob.Operation.SYNC_USER)
        IikoJob.objects.filter(state=State.PENDING).update(state=State.PAUSED, attempts=8)
        page = role.post(url("client", "read_iiko", gulnora.pk), follow=True)
        assert (page.status_code, cast.balance(gulnora)) == (200, 7_000)
        assert "cashback_balance" in words(page)
        job = IikoJob.objects.latest("pk")
        assert job.state == State.SUCCESS
        IikoJob.objects.filter(pk=job.pk).update(state=State.PAUSED)
        assert role.post(url("iikojob", "resume", job.pk)).status_code == 403

    def test_what_iiko_does_not_tell_is_said(self, role: Browser, gulnora: Client) -> None:
        restaurant.introduce(gulnora, 100)
        vendors.iiko.people.clear()
        page = role.post(url("client", "read_iiko", gulnora.pk), follow=True)
        assert words(page) == "iiko has not told about this guest: iiko_customer_not_found"

    def test_a_stale_page_reads_nobody(self, role: Browser, gulnora: Client) -> None:
        restaurant.introduce(gulnora, 100)
        cast.clients.delete(by=gulnora)
        page = role.post(url("client", "read_iiko", gulnora.pk), follow=True)
        assert page.status_code == 200
        assert words(page)
        assert not IikoJob.objects.filter(operation="sync_user").exclude(state=State.SUCCESS).exists()

    def test_a_click_shuts_out_and_another_lets_in_again(self, boss: Browser, gulnora: Client) -> None:
        doors.open_session(gulnora)
        page = boss.get(url("client", "change", gulnora.pk)).content.decode()
        assert (url("client", "switch_off", gulnora.pk) in page, url("client", "switch_on", gulnora.pk) in page) == (
            *(True, False),
        )
        boss.post(url("client", "switch_off", gulnora.pk))
        gulnora.refresh_from_db()
        assert (gulnora.is_active, Session.objects.filter(ended_at=None).count()) == (False, 0)
        page = boss.get(url("client", "change", gulnora.pk)).content.decode()
        assert url("client", "switch_off", gulnora.pk) not in page
        shown = boss.get(f"{url('client', 'changelist')}?switched_off_at__isempty=0")
        assert [row.pk for row in shown.context["cl"].result_list] == [gulnora.pk]
        boss.post(url("client", "switch_on", gulnora.pk))
        gulnora.refresh_from_db()
        assert gulnora.is_active
        told = LogEntry.objects.filter(object_id=str(gulnora.pk)).values_list("change_message", flat=True)
        assert list(told) == ["Switched on", "Switched off"]

    def test_shutting_out_needs_its_right(self, gulnora: Client) -> None:
        clerk = desk.helper("view_client")
        assert clerk.post(url("client", "switch_off", gulnora.pk)).status_code == 403
        gulnora.refresh_from_db()
        assert gulnora.is_active

    @pytest.mark.parametrize("deed", ["read_iiko", "switch_off", "switch_on"])
    def test_a_link_presses_nothing(self, boss: Browser, gulnora: Client, deed: str) -> None:
        before = list(Client.objects.values())
        assert boss.get(url("client", deed, gulnora.pk)).status_code == 405
        assert list(Client.objects.values()) == before


class TestStaff:
    form = {"name": "Sardor", "phone": "90 111 22 33", "role": "WAITER", "branch_id": "139235", "password": "secret-1"}  # noqa: RUF012

    def test_hiring_makes_a_code_and_a_door(self, boss: Browser) -> None:
        boss.post(url("staff", "add"), self.form)
        row = Staff.objects.get(name="Sardor")
        assert (row.phone, row.branch_id, len(row.referral_code or "")) == ("+998901112233", 139235, 6)
        assert doors.log_in_staff(phone="+998901112233", password="secret-1").pk == row.pk

    def test_a_taken_phone_hires_nobody(self, boss: Browser, vali: Staff) -> None:
        page = boss.post(url("staff", "add"), {**self.form, "phone": vali.phone}, follow=True)
        assert page.status_code == 200
        assert list(Staff.objects.values_list("name", flat=True)) == ["Vali"]

    def test_hiring_wants_a_password(self, boss: Browser) -> None:
        assert boss.post(url("staff", "add"), {**self.form, "password": ""}).status_code == 200
        assert not Staff.objects.exists()

    def test_an_empty_password_stays_and_a_new_one_opens(self, boss: Browser, vali: Staff) -> None:
        form = {"name": "Vali", "phone": vali.phone, "role": "WAITER", "referral_code": "VALI01", "branch_id": ""}
        boss.post(url("staff", "change", vali.pk), {**form, "password": ""})
        doors.log_in_staff(phone=vali.phone, password=cast.PASSWORD)
        boss.post(url("staff", "change", vali.pk), {**form, "password": "another one 2"})
        assert doors.log_in_staff(phone=vali.phone, password="another one 2").pk == vali.pk

    def test_the_page_shows_no_password(self, boss: Browser, vali: Staff) -> None:
        assert vali.user.password not in boss.get(url("staff", "change", vali.pk)).content.decode()

    def test_a_new_code_replaces_the_old_one(self, boss: Browser, vali: Staff) -> None:
        boss.post(url("staff", "new_code", vali.pk))
        vali.refresh_from_db()
        assert vali.referral_code not in ("VALI01", "", None)

    def test_a_link_changes_no_code(self, boss: Browser, vali: Staff) -> None:
        assert boss.get(url("staff", "new_code", vali.pk)).status_code == 405
        vali.refresh_from_db()
        assert vali.referral_code == "VALI01"

    def test_only_a_waiter_s_page_has_the_button(self, boss: Browser, vali: Staff, malika: Staff) -> None:
        for row, is_shown in ((vali, True), (malika, False)):
            page = boss.get(url("staff", "change", row.pk)).content.decode()
            assert (url("staff", "new_code", row.pk) in page) is is_shown

    def test_dismissing_frees_guests_phone_and_code(self, boss: Browser, gulnora: Client, vali: Staff) -> None:
        boss.post(url("staff", "dismiss", vali.pk))
        vali.refresh_from_db()
        gulnora.refresh_from_db()
        assert vali.deleted_at is not None
        assert (gulnora.waiter_id, vali.referral_code) == (None, None)

    def test_dismissing_needs_its_right(self, vali: Staff) -> None:
        clerk = desk.helper("view_staff", "change_staff")
        assert clerk.post(url("staff", "dismiss", vali.pk)).status_code == 403
        vali.refresh_from_db()
        assert vali.deleted_at is None


class TestIiko:
    def job(self, client: Client, **fields: Any) -> IikoJob:
        IikoJob.objects.filter(client=client).update(**fields)
        return IikoJob.objects.get(client=client)

    def test_a_waiting_job_is_hastened(self, boss: Browser, gulnora: Client) -> None:
        job = self.job(gulnora, state=State.FAILED, due_at=timezone.now() + timezone.timedelta(hours=1))
        boss.post(url("iikojob", "hasten", job.pk))
        job.refresh_from_db()
        assert job.due_at <= timezone.now()
        assert restaurant.drain() == 1

    def test_pause_and_resume(self, boss: Browser, gulnora: Client) -> None:
        job = self.job(gulnora)
        boss.post(url("iikojob", "pause", job.pk))
        job.refresh_from_db()
        assert (job.state, restaurant.drain()) == (State.PAUSED, 0)
        boss.post(url("iikojob", "resume", job.pk))
        job.refresh_from_db()
        assert (job.state, job.attempts) == (State.PENDING, 0)
        assert restaurant.jobs(gulnora) == [("sync_user", "pending")]

    @pytest.mark.parametrize("deed", ["hasten", "pause", "resume"])
    def test_a_link_steers_nothing(self, boss: Browser, gulnora: Client, deed: str) -> None:
        self.job(gulnora)
        before = IikoJob.objects.values().get()
        assert boss.get(url("iikojob", deed, before["id"])).status_code == 405
        assert IikoJob.objects.values().get() == before

    @pytest.mark.parametrize(
        ("state", "shown"),
        [(State.PENDING, ["hasten", "pause"]), (State.PAUSED, ["resume"]), (State.SUCCESS, []), (State.RUNNING, [])],
    )
    def test_a_page_has_the_buttons_of_its_state(
        self, boss: Browser, gulnora: Client, state: str, shown: list[str]
    ) -> None:
        job = self.job(gulnora, state=state)
        page = boss.get(url("iikojob", "change", job.pk)).content.decode()
        assert [deed for deed in ("hasten", "pause", "resume") if url("iikojob", deed, job.pk) in page] == shown

    @pytest.mark.parametrize("state", [State.RUNNING, State.SUCCESS])
    @pytest.mark.parametrize("deed", ["hasten", "pause", "resume"])
    def test_what_runs_or_is_done_is_left_alone(self, boss: Browser, gulnora: Client, state: str, deed: str) -> None:
        job = self.job(gulnora, state=state)
        page = boss.post(url("iikojob", deed, job.pk), follow=True)
        assert words(page)
        assert self.job(gulnora).state == state

    def test_many_at_once(self, boss: Browser, gulnora: Client, jasur: Client) -> None:
        chosen = list(IikoJob.objects.values_list("pk", flat=True))
        boss.post(url("iikojob", "changelist"), {"action": "pause_selected", "_selected_action": chosen})
        assert set(IikoJob.objects.values_list("state", flat=True)) == {State.PAUSED}
        boss.post(url("iikojob", "changelist"), {"action": "resume_selected", "_selected_action": chosen})
        assert set(IikoJob.objects.values_list("state", flat=True)) == {State.PENDING}

    def test_looking_is_not_steering(self, gulnora: Client) -> None:
        job, clerk = self.job(gulnora), desk.helper("view_iikojob")
        assert clerk.post(url("iikojob", "pause", job.pk)).status_code == 403
        assert self.job(gulnora).state == State.PENDING

    def test_a_parked_notice_finds_its_guest_once(self, boss: Browser, gulnora: Client) -> None:
        notice = desk.park(gulnora.phone, "early")  # known by phone, but not yet with this purse
        assert notice.state == "applied"
        late = desk.park("+998907770000", "late")
        page = boss.post(url("iikonotice", "look_again", late.pk), follow=True)
        assert words(page)
        late.refresh_from_db()
        assert late.state == "parked"
        newcomer = cast.guest("Late", "+998907770000")
        for _ in range(2):
            boss.post(url("iikonotice", "look_again", late.pk))
        late.refresh_from_db()
        assert (late.state, late.client_id) == ("applied", newcomer.pk)
        assert cast.balance(newcomer) == 500

    def test_comparing_now_asks_about_known_guests(self, boss: Browser, gulnora: Client) -> None:
        restaurant.introduce(gulnora, 100)
        vendors.iiko.people[gulnora.phone].balance = Decimal(250)
        boss.post(reverse("admin:loyalty_iikoreconciliation_begin"))
        restaurant.drain()
        report = IikoReconciliation.objects.get()
        assert (report.asked_count, report.checked_count, report.differing_count) == (1, 1, 1)
        assert report.levelled_total == 150

    def test_a_link_compares_nothing(self, boss: Browser, gulnora: Client) -> None:
        begin = reverse("admin:loyalty_iikoreconciliation_begin")
        assert boss.get(begin).status_code == 405
        assert not IikoReconciliation.objects.exists()
        assert begin in boss.get(url("iikoreconciliation", "changelist")).content.decode()

    def test_a_job_seen_in_the_list_can_be_claimed_all_the_same(self, boss: Browser, gulnora: Client) -> None:
        boss.get(url("iikojob", "changelist"))
        assert iiko_jobs.claim() is not None


class TestWords:
    def test_news_with_an_uploaded_picture(self, boss: Browser) -> None:
        form = {"title": "Nowruz", "description": "Sumalak for all", "priority": "2", "picture": picture("n.png")}
        boss.post(url("news", "add"), form)
        piece, file = News.objects.get(), StoredFile.objects.get()
        assert piece.image_url == f"/api/v1/files/news_images/{file.name}"
        assert Browser().get(f"/loyalty{piece.image_url}").status_code == 200
        assert "Nowruz" in Browser().get("/loyalty/api/v1/news").content.decode()

    def test_no_picture_no_news(self, boss: Browser) -> None:
        form = {"title": "Nowruz", "description": "x", "priority": "0", "picture": picture("n.png", content=b"<svg/>")}
        page = boss.post(url("news", "add"), form, follow=True)
        assert page.status_code == 200
        assert (News.objects.count(), StoredFile.objects.count()) == (0, 0)

    def test_a_window_that_closes_first_is_refused(self, boss: Browser) -> None:
        form = {"title": "t", "description": "d", "priority": "0"}
        window = {"starts_at_0": "2026-05-02", "starts_at_1": "10:00", "ends_at_0": "2026-05-01", "ends_at_1": "10:00"}
        assert boss.post(url("news", "add"), {**form, **window}).status_code == 200
        assert not News.objects.exists()

    def test_an_announcement_is_told_changed_and_taken_back(self, boss: Browser, gulnora: Client) -> None:
        boss.post(url("announcement", "add"), {"title": "Closed", "description": "On Monday"})
        said = Announcement.objects.get()
        assert said.broadcast is not None
        boss.post(url("announcement", "change", said.pk), {"title": "Open", "description": "On Monday"})
        said.refresh_from_db()
        assert (said.title, said.broadcast.title["ru"]) == ("Open", "Open")
        boss.post(url("announcement", "delete", said.pk), {"post": "yes"})
        said.refresh_from_db()
        assert said.deleted_at is not None

    def test_a_picture_is_taken_away(self, boss: Browser, malika: Staff) -> None:
        file = files.add_news_image(by=malika, file=picture())
        boss.post(url("storedfile", "delete", file.pk), {"post": "yes"})
        settle()
        assert not StoredFile.objects.exists()


class TestCatalogue:
    def test_shelves_and_dishes_come_change_and_go(self, boss: Browser) -> None:
        boss.post(url("category", "add"), {"name": "Soups", "image_url": ""})
        shelf = Category.objects.get()
        boss.post(url("product", "add"), {"category": shelf.pk, "name": "Mastava", "price": "25000", "image_url": ""})
        dish = Product.objects.get()
        boss.post(url("product", "change", dish.pk), {"category": shelf.pk, "name": "Mastava", "price": "27000"})
        dish.refresh_from_db()
        assert dish.price == 27_000
        assert "27000" in Browser().get("/loyalty/api/v1/catalog/products").content.decode()
        boss.post(url("category", "delete", shelf.pk), {"post": "yes"})
        assert Category.objects.exists()
        boss.post(url("product", "delete", dish.pk), {"post": "yes"})
        boss.post(url("category", "delete", shelf.pk), {"post": "yes"})
        assert not Category.objects.exists()

    def test_two_shelves_of_one_name_are_refused(self, boss: Browser) -> None:
        for _ in range(2):
            boss.post(url("category", "add"), {"name": "Soups"})
        assert Category.objects.count() == 1

    def test_the_menu_comes_by_a_click(self, boss: Browser) -> None:
        page = boss.post(reverse("admin:loyalty_product_bring_the_menu"), follow=True)
        assert words(page)
        assert Product.objects.exclude(external_id=None).exists()

    def test_a_link_brings_nothing(self, boss: Browser) -> None:
        assert boss.get(reverse("admin:loyalty_product_bring_the_menu")).status_code == 405
        assert not Product.objects.exists()

    def test_bringing_the_menu_needs_its_right(self, db: None) -> None:
        clerk = desk.helper("view_product")
        assert clerk.post(reverse("admin:loyalty_product_bring_the_menu")).status_code == 403
        assert not Product.objects.exists()
