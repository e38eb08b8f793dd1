"""The commands of the mission's own papers, typed as they stand there, at the root and under the base (contract shop 0,
K1 to K15).
"""

from __future__ import annotations

import json
import shlex
from importlib import import_module
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from apps.integrations.sandbox import vendors
from apps.shop.models import Customer, Order
from apps.shop.tests import cast, paying
from apps.shop.tests.cast import Caller

pytestmark = [pytest.mark.contract, pytest.mark.django_db]

HELD_BY = {
    "K1": ("test_seed_examples.test_tokens_travel_in_cookies_and_in_the_header",),
    "K2": ("test_seed_examples.test_a_day_by_curl", "test_register.test_the_first_form_registers"),
    "K3": ("test_seed_examples.test_a_day_by_curl", "test_sessions.test_a_name_or_a_phone_signs_in"),
    "K4": ("test_reset_password.test_the_code_brings_a_new_password_once",),
    "K5": ("test_sessions.test_the_cap_is_not_moved_by_renewing",),
    "K6": ("test_register.test_the_password_is_hashed_and_the_phone_stays_unproved",),
    "K7": ("test_place_order.test_user_id_counts_for_administrators_only", "test_seed_examples.test_a_day_by_curl"),
    "K8": ("test_order_status.test_old_words_in_any_case_mean_ours",),
    "K9": ("test_payment_table.test_the_table_is_walked", "test_seed_examples.test_k9_six_words_confirm"),
    "K10": ("test_pay.test_an_order_is_paid_by_any_name_of_its_id", "test_seed_examples.test_a_day_by_curl"),
    "K11": ("test_refund_order.test_all_of_it_by_any_of_three_names", "test_seed_examples.test_a_day_by_curl"),
    "K12": ("test_seed_examples.test_k12_pictures_go_up_with_and_without_the_slash",),
    "K13": ("test_seed_examples.test_a_day_by_curl",),
    "K14": ("test_finance.test_the_latest_settled_payment_speaks_and_there_is_one_row",),
    "K15": ("test_seeding.test_the_sample_shop_is_planted_once",),
}
"""Where the papers and the code of the original disagree → what shows that both are served."""


def curl(client: Client, command: str) -> HttpResponse:
    """Do what this command line says; `-X`, `-H`, `-d`, and the address."""
    words, method, path, body = shlex.split(command), "GET", "", ""
    headers: dict[str, str] = {}
    for flag, word in zip(words, [*words[1:], ""], strict=True):
        if flag == "-X":
            method = word
        elif flag == "-d":
            body = word
        elif flag == "-H":
            name, _, value = word.partition(": ")
            headers[name] = value
        elif flag.startswith("http://"):
            path = "/" + flag.split("/", 3)[3]
    answer: HttpResponse = client.generic(
        method, path, body, content_type=headers.pop("Content-Type", "text/plain"), headers=headers
    )
    return answer


def read(answer: HttpResponse) -> Any:
    assert 200 <= answer.status_code < 300, (answer.status_code, answer.content)
    return json.loads(answer.content)


@pytest.fixture(params=["http://localhost:8000", "http://localhost:8000/shop"], ids=["root", "base"])
def url(request: pytest.FixtureRequest) -> str:
    """Where the papers' server stands."""
    return str(request.param)


AS_JSON = """ -H "Content-Type: application/json" """
SIGNED = """ -H "Authorization: Bearer <token>" """
REGISTER = f"""curl -X POST <url>/auth/register {AS_JSON}
    -d '{{"username":"john","email":"john@example.com","password":"secret123"}}'"""
LOGIN = f"""curl -X POST <url>/auth/login {AS_JSON} -d '{{"username":"john","password":"secret123"}}'"""
LIST = "curl <url>/slippers/?limit=5"
ORDER = f"""curl -X POST <url>/orders/ {SIGNED} {AS_JSON}
    -d '{{"user_id":1,"items":[{{"slipper_id":<product>,"quantity":2}}]}}'"""
PAY = f"""curl -X POST <url>/payments/octo/create {SIGNED} {AS_JSON}
    -d '{{"amount":150000,"orderId":<order>,"description":"Order payment"}}'"""
NOTIFY = f"curl -X POST <url>/payments/octo/notify {AS_JSON} -d <notice>"
REFUND_A_PART = f"""curl -X POST <url>/payments/octo/refund {SIGNED} {AS_JSON}
    -d '{{"octo_payment_UUID":"<uuid>","amount":50000}}'"""
REFUND = f"""curl -X POST <url>/payments/octo/refund {SIGNED} {AS_JSON} -d '{{"order_id":<order>}}'"""
FINANCE = f"curl <url>/orders/?finance=PAID_refunded {SIGNED}"
LOGIN_BOBUR = f"""curl -X POST <url>/auth/login {AS_JSON} -d '{{"name":"Bobur","password":"<password>"}}'"""
ME, ME_SIGNED = "curl <url>/users/me", f"curl <url>/users/me {SIGNED}"


def filled(command: str, **values: object) -> str:
    """The command with its `<names>` put in."""
    for name, value in values.items():
        command = command.replace(f"<{name}>", str(value))
    return command


def test_the_table_is_whole() -> None:
    assert list(HELD_BY) == [f"K{number}" for number in range(1, 16)]
    for name in (name for names in HELD_BY.values() for name in names):
        module, _, test = name.partition(".")
        assert callable(getattr(import_module(f"apps.shop.tests.{module}"), test, None)), name


def test_a_day_by_curl(url: str, anora: Customer) -> None:
    client = Client()

    def run(command: str, **values: object) -> Any:
        return read(curl(client, filled(command, url=url, **values)))

    registered = run(REGISTER)
    assert (registered["token_type"], registered["expires_in"]) == ("bearer", 15)
    john = run(LOGIN)["access_token"]
    client.cookies.clear()
    product = cast.slipper(price="75000", quantity=5)
    assert [row["id"] for row in run(LIST)["items"]] == [product.pk]

    order = run(ORDER, token=john, product=product.pk)
    number = order["id"]
    assert (order["order_id"], order["status"], order["total_amount"]) == (str(number), "pending", 150000)
    assert Order.objects.get().customer.name == "john"  # K7: only administrators order for others
    begun = run(PAY, token=john, order=number)
    assert begun["redirect_url"] == begun["pay_url"]
    notice = vendors.octo.pay(begun["payment_uuid"])
    assert run(NOTIFY, notice=shlex.quote(notice.body.decode())) == {"ok": True}
    assert Order.objects.get().status == "confirmed"

    admin = Caller(anora).token
    part = run(REFUND_A_PART, token=admin, uuid=begun["payment_uuid"])
    assert (part["success"], part["status"], part["refunded_amount"]) == (True, "confirmed", 50000)
    rest = run(REFUND, token=admin, order=number)
    assert (rest["order_id"], rest["status"], rest["payment_status"]) == (number, "REFUNDED", "refunded")
    rows = run(FINANCE, token=john)
    assert [(row["order_id"], row["payment_status"]) for row in rows] == [(str(number), "refunded")]


def test_tokens_travel_in_cookies_and_in_the_header(url: str, bobur: Customer, dilya: Customer) -> None:
    """Cookie or bearer; with both the header wins (K1)."""
    client = Client()
    answer = curl(client, filled(LOGIN_BOBUR, url=url, password=cast.PASSWORD))
    assert read(answer)["access_token"] == answer.cookies["access_token"].value
    assert answer.cookies["access_token"]["httponly"] is True
    assert read(curl(client, filled(ME, url=url)))["name"] == "Bobur"
    assert read(curl(client, filled(ME_SIGNED, url=url, token=Caller(dilya).token)))["name"] == "Dilya"
    client.cookies.clear()
    assert curl(client, filled(ME, url=url)).status_code == 401


@pytest.mark.parametrize("word", ["paid", "captured", "completed", "succeeded", "success", "paid_and_captured"])
def test_k9_six_words_confirm(url: str, bobur: Customer, word: str) -> None:
    order = paying.ordered(bobur)
    charge = paying.charge_of(paying.begun(bobur, order))
    charge.status, charge.captured = word, charge.amount
    notice = shlex.quote(vendors.octo.notice(charge).body.decode())
    assert read(curl(Client(), filled(NOTIFY, url=url, notice=notice))) == {"ok": True}
    assert paying.fresh(order).status == "confirmed"


@pytest.mark.parametrize("slash", ["", "/"])
def test_k12_pictures_go_up_with_and_without_the_slash(url: str, anora: Customer, slash: str) -> None:
    product = cast.slipper()
    path = "/" + url.split("/", 3)[3] if url.count("/") > 2 else ""
    files: list[SimpleUploadedFile] = [cast.picture("one.jpg"), cast.picture("two.jpg", colour="blue")]
    answer = Client().post(
        f"{path}/slippers/{product.pk}/upload-images{slash}",
        {"images": files},
        headers={"Authorization": f"Bearer {Caller(anora).token}"},
    )
    assert read(answer)["total_uploaded"] == 2


@pytest.mark.parametrize(
    "command",
    [
        "curl -X POST {url}/payments/octo/create{slash}",
        "curl -X POST {url}/payments/octo/refund{slash} -d '{{}}'",
        "curl -X POST {url}/payments/octo/reconcile{slash}",
        "curl {url}/payments{slash}",
        "curl {url}/payments/octo/some-number{slash}",
        "curl -X POST {url}/payments/octo/some-number/capture{slash}",
        "curl -X POST {url}/payments/octo/some-number/cancel{slash}",
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_path_of_payments_answers_in_both_forms_and_to_nobody_without_a_sign_in(
    url: str, command: str, slash: str
) -> None:
    answer = curl(Client(), command.format(url=url, slash=slash))
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert json.loads(answer.content)["detail"] == "Not authenticated"
