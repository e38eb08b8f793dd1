"""The 40 faults of the original and what proves that ours lacks each (contract loyalty 7, numbered as there).

`HELD_BY` names the tests, those of the layers below with their app; the ones that stand here belong to no single deed.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as settings_of_django
from django.db import DatabaseError, connection
from django.test import Client as Http
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from apps.accounts import actions as accounts
from apps.accounts.models import AuthLog, OneTimeCode, User
from apps.core.models import OutboxMessage
from apps.integrations import conf as vendor_conf
from apps.integrations import ports
from apps.integrations.sandbox import vendors
from apps.ledger.models import Entry
from apps.loyalty import conf
from apps.loyalty.actions import announcements, doors
from apps.loyalty.models import CashbackTransaction, Category, Client, IikoNotice, News, Product, Staff
from apps.loyalty.queries import menu, news
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller
from apps.loyalty.tests.restaurant import introduce, post

pytestmark = pytest.mark.django_db(transaction=True)


HELD_BY = {
    1: (
        "test_iiko_webhook.TestAnswers.test_the_password",
        "test_iiko_webhook.TestCheckUser.test_the_password",
        "test_iiko_webhook.TestCheckUser.test_it_is_no_way_to_try_numbers",
    ),
    2: (
        "test_defects.test_2_nobody_has_a_fixed_code_unless_the_settings_say_so",
        "test_defects.test_2_the_demo_number_is_closed_in_production",
        "test_prove_code.test_in_production_the_bypass_list_is_nothing",
        "test_conf.test_a_production_start_refuses_back_doors",
        "test_conf.test_the_demo_falls_back_everywhere_but_in_production",
    ),
    3: (
        "test_staff.test_a_changed_password_stays_changed",
        "test_staff.test_a_migration_makes_the_first_manager_once",
        "test_conf.test_a_production_start_refuses_back_doors",
    ),
    4: (
        "test_defects.test_4_codes_are_not_kept_in_clear",
        "test_prove_code.test_five_wrong_tries_burn_the_code_and_lock_the_phone",
        "test_request_code.test_only_the_newest_code_is_good",
        "test_request_code.test_the_sixth_code_of_a_phone_is_429_with_minutes",
        "test_races_people.test_fifty_guesses_at_once_are_five",
    ),
    5: (
        "test_defects.test_5_a_forged_forwarded_address_does_not_lift_the_limit",
        "test_defects.test_5_a_long_forwarded_chain_is_no_fault_of_ours",
    ),
    6: (
        "test_defects.test_6_logs_hold_no_code_no_password_no_phone_no_name",
        "test_iiko_webhook.test_no_secret_reaches_the_log",
        "integrations.test_http.TestLogs.test_a_call_leaves_one_line_without_secrets",
    ),
    7: (
        "test_files.TestPhoto.test_an_address_from_the_client_is_never_believed",
        "test_update_me.test_the_address_of_somebody_elses_photo_is_not_taken",
        "test_users.test_nulls_and_addresses_of_photos_change_nothing",
    ),
    8: (
        "test_files.TestPhoto.test_no_picture",
        "test_files.TestPhoto.test_too_large",
        "test_files.TestList.test_three_queries_however_many",
    ),
    9: (
        "test_defects.test_9_a_notice_that_could_not_be_written_is_not_answered_200",
        "test_defects.test_9_a_gift_that_could_not_be_written_is_no_gift",
    ),
    10: ("test_races_people.test_first_movements_at_once_add_up",),
    11: (
        "test_iiko_webhook.TestAnswers.test_a_duplicate",
        "test_iiko_webhook.TestOrder.test_without_ids_the_words_are_the_key",
        "test_iiko_webhook.TestOrder.test_an_older_balance_changes_nothing",
        "test_iiko_webhook.TestOrder.test_two_notices_of_one_second_end_at_iikos_balance",
        "test_iiko_webhook.TestRaces.test_the_same_notice_at_once_is_posted_once",
        "test_iiko_changes.test_any_order_of_arrival_ends_at_the_newest_balance",
    ),
    12: (
        "test_cashback.test_the_same_key_gives_once",
        "test_cashback.test_nobody_gets_nothing",
        "test_races_people.test_one_key_gives_once",
    ),
    13: (
        "test_leaving.test_every_old_token_is_dead_at_once",
        "test_me.test_who_has_left_is_401",
        "test_staff_doors.test_a_new_password_ends_every_token_issued_before",
        "test_switch_user.test_every_token_is_dead_and_stays_dead",
    ),
    14: (
        "test_defects.test_14_asking_for_a_code_makes_no_account",
        "test_leaving.test_with_the_same_phone_one_begins_anew",
        "test_prove_code.test_a_guest_of_the_restaurant_is_taken_over_after_the_proof",
    ),
    15: (
        "test_leaving.test_history_and_money_stay_in_the_books",
        "test_leaving.test_the_real_phone_is_kept_for_the_restaurants_system",
        "test_iiko_jobs.TestDeletion.test_a_late_job_never_deletes_a_new_account",
        "test_iiko_jobs.TestDeletion.test_even_resumed_much_later",
    ),
    16: ("test_iiko_sync.TestProfile.test_what_failed_stays_to_be_pushed",),
    17: (
        "integrations.test_iiko.TestToken.test_a_login_that_stays_refused_is_no_missing_guest",
        "integrations.test_iiko.TestTrouble.test_a_refusal_is_no_missing_guest",
        "test_iiko_jobs.TestTrouble.test_down_uses_no_attempt_and_drains_exactly_once",
    ),
    18: (
        "test_iiko_jobs.TestRaces.test_one_guests_jobs_never_run_side_by_side",
        "test_iiko_jobs.TestRaces.test_a_job_is_claimed_once",
    ),
    19: ("test_iiko_sync.TestCards.test_one_that_iiko_did_not_take_is_brought_again",),
    20: (
        "test_iiko_jobs.TestRaces.test_asking_at_once_makes_one_row",
        "test_iiko_jobs.TestAsking.test_asking_again_gives_no_attempts_back",
        "test_iiko_jobs.TestTrouble.test_a_dead_workers_job_comes_back_and_counts",
        "test_iiko_jobs.TestStaff.test_old_ones_are_forgotten",
    ),
    21: (
        "test_iiko_sync.TestReading.test_the_bonus_purse_before_the_first",
        "test_iiko_sync.TestReading.test_the_balance_is_iikos_whatever_we_had",
        "test_iiko_sync.TestCards.test_a_card_moves_to_its_guest",
        "test_iiko_changes.test_an_asked_balance_levels_the_purse_once",
    ),
    22: (
        "test_defects.test_22_a_renewal_builds_no_vendor",
        "integrations.test_ports.TestPort.test_built_once_until_reset",
        "integrations.test_http.TestRepeats.test_many_calls_share_one_client",
    ),
    23: (
        "notifications.test_processes.test_two_processes_reach_each_others_sockets",
        "notifications.test_consumers.test_a_frame_too_big_closes",
        "notifications.test_consumers.test_too_many_sockets_of_one_person",
        "test_live.TestHearing.test_the_missed_oldest_first_then_live_each_once",
    ),
    24: (
        "test_defects.test_24_reading_the_inbox_writes_nothing",
        "test_messages.TestSend.test_to_some",
        "test_messages.TestSend.test_few_statements_however_many",
        "test_announcements.TestTelling.test_killed_in_the_middle_it_goes_on_and_nobody_hears_twice",
        "test_broadcast_killed.test_nobody_is_missed_and_nobody_told_twice",
    ),
    25: ("test_logs.test_the_older_shape",),
    26: ("test_files.TestList.test_newest_first", "test_files.TestList.test_malformed"),
    27: (
        "test_defects.test_27_no_list_is_without_an_end",
        "test_me.test_never_more_than_a_hundred_movements_come_along",
        "test_cashback.test_a_history_is_read_in_pages",
        "test_stats.test_tops_have_an_end",
    ),
    28: (
        "test_users.test_the_number_of_queries_does_not_grow",
        "test_me.test_a_waiters_queries_do_not_grow",
        "test_catalogue.TestCategories.test_one_query_however_many",
        "test_messages.TestSend.test_few_statements_however_many",
    ),
    29: (
        "test_staff_doors.test_a_waiter_gets_his_own_living_guests_newest_first_without_balances",
        "test_me.test_a_waiter_reads_the_guests_without_balances",
        "test_users.test_a_waiter_sees_his_own_guests_and_no_balance",
        "test_cashback.test_a_waiter_reads_the_movements_of_his_own_guests_without_balances",
    ),
    30: (
        "test_catalogue.TestCategories.test_a_name_that_is_taken",
        "test_catalogue.TestCategories.test_one_with_dishes_stays",
        "test_catalogue.TestCategories.test_malformed",
        "test_update_me.test_an_e_mail_of_another_guest_is_409_and_nothing_changes",
        "test_update_me.test_malformed_fields_are_422",
        "test_update_me.test_empty_texts_clear_all_but_the_name",
        "test_messages.TestDevices.test_malformed",
    ),
    31: (
        "test_menu.TestKeeping.test_a_stop_list_that_fails_keeps_the_last",
        "test_menu.TestKeeping.test_the_job_fetches_before_anybody_asks",
        "test_menu.TestKeeping.test_one_site_down_is_served_from_what_it_said_last",
        "test_menu.TestMerging.test_gijduvon_is_asked_at_its_own_site",
    ),
    32: (
        "test_catalogue.TestSync.test_what_left_the_menu_goes_and_ours_stays",
        "test_catalogue.TestSync.test_nothing_goes_while_a_site_is_down",
        "test_catalogue.TestSync.test_no_menu_changes_nothing",
        "test_catalogue.TestSync.test_the_menu_comes_in_and_again_changes_nothing",
    ),
    33: (
        "core.test_caching.test_what_is_no_data_is_not_there",
        "core.test_kept.test_a_write_makes_old_after_its_commit_and_not_before",
        "test_news.test_a_write_is_seen_at_once",
        "test_catalogue.test_a_write_is_seen_at_once",
    ),
    34: (
        "test_words.test_both_languages_are_there_and_differ",
        "test_words.test_the_walk_meets_every_class_of_the_product",
    ),
    35: (
        "test_defects.test_35_only_listed_origins_get_leave",
        "core.test_cors.test_a_stranger_gets_no_leave",
        "portal.test_health.test_one_part_that_is_out_is_503",
        "test_stats.test_health_is_200_even_when_a_part_is_out",
    ),
    36: (
        "test_defects.test_36_the_product_starts_without_a_word_of_settings",
        "test_iiko_changes.test_exactly_35000_spent_is_the_gift",
    ),
    37: (
        "test_defects.test_37_nothing_private_lies_in_the_tree",
        "test_defects.test_37_nobody_scrapes_a_back_office",
    ),
    38: (
        "test_staff.test_a_dismissed_waiter_leaves_the_guests_the_phone_and_the_code",
        "test_staff.test_a_waiter_who_stands_in_the_books_stays",
        "test_staff.test_a_phone_in_another_spelling_is_taken_too",
        "test_stats.test_waiters_by_their_living_guests",
    ),
    39: (
        "test_defects.test_39_rows_with_a_branch_outside_the_list_are_shown",
        "test_cashback.test_a_row_with_an_unknown_branch_is_shown",
    ),
    40: (
        "test_logs.test_every_try_at_the_door_with_who_it_was",
        "test_logs.test_codes_of_all_and_of_one",
        "test_defects.test_40_a_changed_password_and_signing_out_are_logged",
    ),
}


def proof(name: str) -> object:
    """The test of that name: `[app.]module[.Class].test`."""
    parts = name.split(".")
    app = "loyalty" if parts[0].startswith("test_") else parts.pop(0)
    found: object = import_module(f"apps.{app}.tests.{parts[0]}")
    for part in parts[1:]:
        found = getattr(found, part)
    return found


def test_every_fault_has_its_proof() -> None:
    assert list(HELD_BY) == list(range(1, 41))


@pytest.mark.parametrize("fault", HELD_BY)
def test_the_proofs_exist(fault: int) -> None:
    assert all(callable(proof(name)) for name in HELD_BY[fault])


def ask(caller: Caller, phone: str, **headers: str) -> int:
    return caller.post("auth/client/request-otp", {"phone": phone, "purpose": "register"}, **headers).status_code


def test_2_nobody_has_a_fixed_code_unless_the_settings_say_so(jasur: Client) -> None:
    Caller().post("auth/client/request-otp", {"phone": jasur.phone})
    for code in ("1111", "0000", "123456"):
        answer = Caller().post("auth/client/verify-otp", {"phone": jasur.phone, "code": code})
        assert answer.status_code == 400


def test_4_codes_are_not_kept_in_clear(jasur: Client) -> None:
    Caller().post("auth/client/request-otp", {"phone": jasur.phone})
    code = cast.texted_code()
    assert code not in str(OneTimeCode.objects.values().get().values())
    assert code not in str(list(AuthLog.objects.values())) + str(list(OutboxMessage.objects.values()))


def test_5_a_forged_forwarded_address_does_not_lift_the_limit(db: None) -> None:
    stranger = Caller(address="203.0.113.9")
    asked = [ask(stranger, f"+99890111{n:04}", **{"X-Forwarded-For": f"10.1.1.{n}"}) for n in range(6)]
    assert asked == [204] * 5 + [429]


def test_5_a_long_forwarded_chain_is_no_fault_of_ours(db: None) -> None:
    chain = ", ".join(f"10.1.1.{n}" for n in range(100)) + ", " + "x" * 300
    assert ask(Caller(), "+998901110011", **{"X-Forwarded-For": chain}) == 204
    assert ask(Caller(), "+998901110012", **{"X-Forwarded-For": "', DROP TABLE"}) == 204


def test_6_logs_hold_no_code_no_password_no_phone_no_name(
    malika: Staff, jasur: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        Caller().post("auth/client/request-otp", {"phone": jasur.phone})
        code = cast.texted_code()
        Caller().post("auth/client/verify-otp", {"phone": jasur.phone, "code": code})
        Caller().post("auth/staff/login", {"phone": malika.phone, "password": "not the password"})
        Caller(jasur).put("users/me", {"surname": "Secretov"})
        Caller(jasur).delete("users/me")
    told = "\n".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if "sql" not in record.name
    )
    for secret in (code, "not the password", "Secretov"):
        assert secret not in told
    assert jasur.phone not in told and malika.phone not in told


def test_14_asking_for_a_code_makes_no_account(db: None) -> None:
    assert [ask(Caller(), cast.NOWHERE_PHONE) for _ in range(2)] == [204, 204]
    assert not Client.objects.exists() and not User.objects.exists()


def broken(*args: Any, **kwargs: Any) -> Any:
    raise DatabaseError("the disk is full")


def test_9_a_notice_that_could_not_be_written_is_not_answered_200(
    jasur: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    introduce(jasur)
    notice = vendors.iiko.move(jasur.phone, "Accrual", Decimal(700))
    before = list(IikoNotice.objects.values()), list(CashbackTransaction.objects.values()), list(Entry.objects.values())
    with monkeypatch.context() as trouble:
        trouble.setattr(CashbackTransaction.objects, "create", broken)
        quiet = Http(raise_request_exception=False)
        answer = quiet.post("/loyalty/api/v1/iiko/webhook", notice.body, content_type="application/json")
        assert answer.status_code >= 500
    after = list(IikoNotice.objects.values()), list(CashbackTransaction.objects.values()), list(Entry.objects.values())
    assert after == before
    assert post(notice).json()["status"] == "processed"
    assert cast.balance(jasur) == 700


def test_9_a_gift_that_could_not_be_written_is_no_gift(
    malika: Staff, jasur: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, body = Caller(malika), {"user_id": jasur.pk, "amount": 700}
    caller.client = Http(raise_request_exception=False)
    with monkeypatch.context() as trouble:
        trouble.setattr(CashbackTransaction.objects, "create", broken)
        assert caller.post("cashback/add", body).status_code >= 500
    assert (cast.balance(jasur), Entry.objects.of_persons().count()) == (0, 0)
    assert caller.post("cashback/add", body).json()["balance_after"] == 700.0


def test_22_a_renewal_builds_no_vendor(jasur: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = doors.open_session(jasur)
    ports.reset()
    monkeypatch.setattr(ports, "import_string", broken)
    assert Caller().post("auth/refresh", {"refresh_token": pair.refresh}).status_code == 200
    with pytest.raises(DatabaseError):
        ports.port("sms")


def test_24_reading_the_inbox_writes_nothing(malika: Staff, jasur: Client) -> None:
    """An empty inbox too, with announcements that were told before the guest came."""
    announcements.announce(by=malika, title="Closed", description="On Monday")
    caller = Caller(jasur)
    for path in ("notifications/clients", "notifications/me"):
        with CaptureQueriesContext(connection) as seen:
            assert caller.get(path).status_code == 200
        assert [query["sql"] for query in seen if not query["sql"].lstrip().startswith("SELECT")] == []


LISTS = [
    *("auth/staff", "users", "cashback", "waiters", "admin/auth-logs", "logs/auth", "logs/otp", "logs/validation"),
    *("logs/audit", "files", "notifications"),
]


def test_27_no_list_is_without_an_end(malika: Staff, jasur: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages have at most a hundred rows; the bare lists of public things stop at a figure of their own."""
    for path in LISTS:
        size = "size" if path in ("auth/staff", "waiters", "admin/auth-logs") else "page_size"
        assert Caller(malika).get(f"{path}?{size}=100").status_code == 200, path
        assert Caller(malika).get(f"{path}?{size}=101").status_code == 422, path
    assert Caller(jasur).get("notifications/clients?limit=201").status_code == 422
    for number in range(3):
        News.objects.create(title=f"n{number}", description="d")
        Product.objects.create(category=Category.objects.create(name=f"c{number}"), name="p", price=1)
    monkeypatch.setattr(news, "MOST_NEWS", 2)
    monkeypatch.setattr(menu, "MOST_CATEGORIES", 2)
    monkeypatch.setattr(menu, "MOST_PRODUCTS", 2)
    for path in ("news", "news/all", "catalog/categories", "catalog/products"):
        assert len(Caller(malika).get(path).json()) == 2, path


def test_35_only_listed_origins_get_leave(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://sardoba.example"]
    for origin, leave in (("https://sardoba.example", "https://sardoba.example"), ("https://evil.example", None)):
        answer = Http().get("/loyalty/api/v1/news", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == leave


def test_36_the_product_starts_without_a_word_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if not name.startswith(("PATH", "HOME", "DJANGO", "PYTEST", "TEST_")):
            monkeypatch.delenv(name)
    figures = conf.load(embedded=True)
    assert (figures.otp_length, figures.access_minutes, figures.is_production) == (6, 30, False)
    assert vendor_conf.load().iiko_proxy_secret == ""


PRIVATE_KEY = re.compile(rb"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}")
ACCOUNT = re.compile(rb"\"type\":\s*\"service_account\"")
LEFT_BEHIND = re.compile(
    r"cookie.*\.(?:json|txt)$|\.(?:sqlite3?|db|dump|har|pem|p12|pfx|key|bak)$|service.account.*\.json$"
)
FOLDERS = ("apps", "bench", "config", "deploy", "locale", "scripts", "static", "templates", ".ci")


def tree() -> list[Path]:
    """Every file of the repository; photos of guests, databases and caches lie outside of these folders."""
    folders = [settings_of_django.BASE_DIR / name for name in FOLDERS]
    return [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]


def test_37_nothing_private_lies_in_the_tree() -> None:
    files = [file for file in tree() if "__pycache__" not in file.parts]
    assert len(files) > 500
    assert [file for file in files if LEFT_BEHIND.search(file.name.lower())] == []
    texts = [file for file in files if file.suffix in (".py", ".json", ".yml", ".yaml", ".txt", ".md", ".sh", ".toml")]
    assert [file for file in texts if PRIVATE_KEY.search(file.read_bytes())] == []
    assert [file for file in texts if file.suffix == ".json" and ACCOUNT.search(file.read_bytes())] == []
    ignored = (settings_of_django.BASE_DIR / ".gitignore").read_text("utf-8").split()
    assert {"*.sqlite3*", "media/", ".env", ".data/"} <= set(ignored)


def test_37_nobody_scrapes_a_back_office() -> None:
    """iiko is spoken to through its documented API alone."""
    needed = (settings_of_django.BASE_DIR / "requirements.txt").read_text("utf-8").lower()
    assert not re.search(r"selenium|playwright|beautifulsoup|scrapy|pyppeteer", needed)
    told = [file for file in tree() if file.suffix == ".py" and "tests" not in file.parts and "bench" not in file.parts]
    assert [file for file in told if re.search(rb"iikoweb|\.iiko\.it|iikooffice", file.read_bytes())] == []


@pytest.mark.parametrize("branch_id", [0, 7, 2**31 - 1])
def test_39_rows_with_a_branch_outside_the_list_are_shown(branch_id: int, malika: Staff, vali: Staff) -> None:
    Staff.objects.filter(pk=vali.pk).update(branch_id=branch_id)
    assert Caller(malika).get("waiters").json()["items"][0]["branch_id"] == branch_id


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "auth/client/request-otp", b"{"),
        ("POST", "auth/client/request-otp", b"[]"),
        ("POST", "auth/client/verify-otp", b'{"phone": "+998901110005", "code": "\\u0000123"}'),
        ("POST", "auth/staff/login", b'{"phone": 5, "password": null}'),
        ("POST", "auth/refresh", b'{"refresh_token": {"a": 1}}'),
        ("POST", "cashback/add", b'{"user_id": 1e99, "amount": NaN}'),
        ("POST", "cashback/add", b'{"user_id": true, "amount": [1]}'),
        ("PATCH", "users/1", b'{"dob": 5, "waiter_id": "x"}'),
        ("GET", "users?search=%00", None),
        ("GET", "users?page=99999999999999999999", None),
        ("GET", "waiters?branch_id=x", None),
    ],
)
def test_nonsense_is_a_clear_422(method: str, path: str, body: bytes | None, malika: Staff) -> None:
    answer = Caller(malika)(method, path, body)
    assert (answer.status_code, answer.json()["body"]) == (422, "")


def test_2_the_demo_number_is_closed_in_production(settings: Settings) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, environment="production", demo_phone="")
    body = {"phone": "+998911111111", "code": "1111"}
    assert Caller().post("auth/client/verify-otp", body).status_code == 400


def test_40_a_changed_password_and_signing_out_are_logged(vali: Staff) -> None:
    """The original's clients have no sign-out; the house's own ends a session and says so."""
    caller = Caller(vali)
    body = {"old_password": cast.PASSWORD, "new_password": "another good one 2"}
    assert caller.post("auth/staff/change-password", body).status_code == 204
    pair = doors.open_session(vali)
    assert accounts.log_out(pair.access, audience="loyalty")
    told = AuthLog.objects.filter(user=vali.user).order_by("pk").values_list("event", flat=True)
    assert list(told)[-2:] == [AuthLog.Event.PASSWORD_CHANGED, AuthLog.Event.LOGGED_OUT]
