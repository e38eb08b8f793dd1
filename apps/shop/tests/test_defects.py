"""The 28 faults of the original and what proves that ours lacks each (contract shop 6).

`HELD_BY` names the tests; the ones that stand here are about what belongs to no single deed.
"""

from __future__ import annotations

from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from pytest_django.fixtures import Settings

from apps.shop.models import Cart, CartItem, Category, Customer, Order, OrderItem, PriceChange, Slipper
from apps.shop.tests import paying
from apps.shop.tests.cast import Caller

HELD_BY = {
    "D1": ("test_register.test_the_first_form_registers", "test_users.test_what_i_may_not_change"),
    "D2": ("test_reset_password.test_forgetting_changes_nothing_and_tells_nothing",),
    "D3": (
        "test_register.test_the_password_is_hashed_and_the_phone_stays_unproved",
        "test_users.test_an_admin_reads_and_changes_another",
    ),
    "D4": (
        "test_notify.test_d4_a_forged_notice_moves_nothing",
        "test_notify.test_d4_a_signed_word_is_not_believed_before_the_bank_is_asked",
        "test_notify.test_d4_no_order_is_bound_by_what_a_notice_says",
        "test_webhook_storm.test_every_order_ends_where_the_bank_says",
    ),
    "D5": ("test_pay.test_d5_another_amount_is_refused_and_charged_nowhere",),
    "D6": ("test_place_order.test_a_full_cart_does_not_change_the_total_of_an_order",),
    "D7": (
        "test_order_status.test_what_a_buyer_may_set",
        "test_order_status.test_the_total_and_other_columns_are_never_written",
        "test_order_stock.test_an_order_with_history_is_not_deleted",
        "test_defects.test_d7_an_owner_neither_pays_nor_prices_nor_deletes_his_paid_order",
    ),
    "D8": (
        "test_refund_order.test_d8_parallel_refunds_give_back_once",
        "test_refund_order.test_what_cannot_be_refunded",
        "test_refund_order.test_the_same_key_gives_back_once",
    ),
    "D9": ("test_refund_order.test_d9_the_payment_that_was_paid_is_refunded_whichever_is_named",),
    "D10": (
        "test_notify.test_d10_a_late_word_never_takes_a_paid_order_back",
        "test_notify.test_d10_success_after_a_refund_does_not_flip_the_order_back",
        "test_payment_table.test_the_table_is_walked",
    ),
    "D11": (
        "test_held_money.test_d11_one_stage_money_that_is_held_all_the_same_is_taken",
        "test_held_money.test_the_bank_s_answer_names_what_was_decided",
        "test_notify.test_d18_numbers_and_lists_in_a_notice_are_400",
    ),
    "D12": (
        "test_pay.test_d12_a_paid_order_cannot_be_paid_again",
        "test_pay.test_d12_an_open_payment_is_used_again",
        "test_pay_again.test_many_clicks_at_once_are_one_order_and_one_payment",
    ),
    "D13": (
        "test_place_order.test_short_products_are_all_listed_and_nothing_is_taken",
        "test_order_races.test_sixty_buyers_race_for_fifty_pieces",
        "test_cart.test_above_the_stock_is_409_and_changes_nothing",
    ),
    "D14": (
        "test_cart.test_a_line_never_passes_999",
        "test_place_order.test_a_cart_line_above_the_order_s_limit_is_422",
    ),
    "D15": ("test_finance.test_the_latest_settled_payment_speaks_and_there_is_one_row",),
    "D16": ("test_users.test_a_name_of_the_house_is_taken_too", "test_users.test_what_i_may_not_change"),
    "D17": (
        "test_catalogue.test_products_outlive_their_category",
        "test_list_orders.test_a_withdrawn_product_stays_in_past_orders",
        "test_users.test_who_has_paid_is_not_deleted",
        "test_defects.test_d17_no_row_of_an_order_hangs_on_what_may_be_deleted",
    ),
    "D18": (
        "test_catalogue.test_a_taken_category_name_is_400",
        "test_catalogue.test_null_is_not_a_value",
        "test_place_order.test_an_unknown_or_withdrawn_product_is_404_and_takes_nothing",
        "test_notify.test_d18_malformed_notices_are_400",
    ),
    "D19": (
        "test_pay.test_kopecks_are_charged_exactly",
        "test_defects.test_d19_no_column_of_money_is_a_float",
    ),
    "D20": ("test_list_orders.test_pages_are_bounded",),
    "D21": (
        "test_images.test_one_bad_file_and_nothing_is_stored",
        "test_images.test_the_next_batch_goes_on_and_ten_is_all",
        "test_images.test_a_removed_main_picture_has_an_heir",
        "test_images.test_a_storage_that_fails_half_way_leaves_no_file",
    ),
    "D22": ("test_same_key.test_keys_belong_to_their_customer",),
    "D23": (
        "test_pay_again.test_d23_the_payment_is_on_paper_before_the_bank_hears_of_it",
        "test_kill_points.test_paying_that_died_and_was_paid_all_the_same",
    ),
    "D24": (
        "test_sessions.test_signing_out_ends_the_session",
        "test_sessions.test_an_old_refresh_token_ends_the_family",
        "test_sessions.test_the_cap_is_not_moved_by_renewing",
    ),
    "D25": (
        "test_manners.test_fifty_at_once_share_one_counter",
        "test_manners.test_a_limit_above_a_hundred_fires",
        "test_catalogue.test_by_category_and_by_name_both_ways",
    ),
    "D26": ("test_notify.test_d26_neither_card_nor_secret_nor_notice_is_logged",),
    "D27": ("test_defects.test_d27_nobody_is_born_an_administrator",),
    "D28": ("test_defects.test_d28_the_tables_come_from_migrations",),
}
FLOATS = (models.FloatField,)
MONEY = ("price", "amount", "total_price", "unit_price", "total_amount", "old_price", "new_price")


def test_every_fault_has_its_proof() -> None:
    assert list(HELD_BY) == [f"D{number}" for number in range(1, 29)]


@pytest.mark.parametrize("fault", HELD_BY)
def test_the_proofs_exist(fault: str) -> None:
    for name in HELD_BY[fault]:
        module, _, test = name.partition(".")
        assert callable(getattr(import_module(f"apps.shop.tests.{module}"), test, None)), name


def test_d7_an_owner_neither_pays_nor_prices_nor_deletes_his_paid_order(bobur: Customer) -> None:
    """The whole of it over HTTP, as it was done to the original."""
    order, caller = paying.ordered(bobur), Caller(bobur)
    path = f"orders/{order.pk}"
    before = paying.books()
    assert caller.put(path, {"status": "PAID", "total_amount": 0}).status_code == 403
    assert caller.put(path, {"total_amount": 0}).json()["total_amount"] == 150000
    assert paying.books() == before
    paying.paid(bobur, order)
    before = paying.books()
    assert caller.delete(path).status_code == 409
    assert caller.put(path, {"status": "cancelled"}).status_code == 409
    assert paying.books() == before


def test_d17_no_row_of_an_order_hangs_on_what_may_be_deleted() -> None:
    keepers = {models.PROTECT, models.SET_NULL}
    for kind, name in ((Order, "customer"), (OrderItem, "slipper"), (Slipper, "category")):
        assert kind._meta.get_field(name).remote_field.on_delete in keepers, (kind, name)  # type: ignore[union-attr]


def test_d19_no_column_of_money_is_a_float() -> None:
    kinds = (Cart, CartItem, Category, Customer, Order, OrderItem, PriceChange, Slipper)
    fields = [field for kind in kinds for field in kind._meta.fields]
    assert [field for field in fields if isinstance(field, FLOATS)] == []
    money = [field for field in fields if field.name in MONEY]
    assert len(money) == 6
    assert all(isinstance(field, models.DecimalField) and field.decimal_places == 2 for field in money)


@pytest.mark.django_db
def test_d27_nobody_is_born_an_administrator(settings: Settings) -> None:
    """Fresh tables hold no account, and a real installation takes no sample people without being told twice."""
    assert not Customer.objects.exists()
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="--force-demo"):
        call_command("seed", stdout=StringIO())
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_d28_the_tables_come_from_migrations() -> None:
    call_command("makemigrations", "shop", check=True, dry_run=True, stdout=StringIO())
    folder = Path(apps.get_app_config("shop").path)
    assert (folder / "migrations" / "0001_initial.py").exists()
    assert len(list((folder / "tests").glob("test_*.py"))) >= 20
