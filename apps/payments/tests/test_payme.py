"""Payme's Merchant API: its bench, its table of methods, its errors (contract integrations 2)."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.testing import outcomes, race
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.payme import FakePayme
from apps.payments import actions
from apps.payments.models import Attempt, GatewayKey, Payment, Refund
from apps.payments.tests import cast

TIYIN = 15_000_000
ID = "5305e3bab097f420a62ced0b"


@pytest.fixture
def payme() -> FakePayme:
    return vendors.payme


@pytest.fixture
def bill(aida: User) -> Payment:
    """150 000 soum by Payme."""
    return cast.start(aida, method="payme")


def asked(bill: Payment, **changes: Any) -> dict[str, Any]:
    return {"amount": TIYIN, "account": {"order_id": bill.shop_transaction_id}, **changes}


def now_ms() -> int:
    return int(timezone.now().timestamp() * 1000)


def create(payme: FakePayme, bill: Payment, number: str = ID, **changes: Any) -> dict[str, Any]:
    return payme.call("CreateTransaction", asked(bill, id=number, time=now_ms(), **changes))


def code(answer: dict[str, Any]) -> int:
    return int(answer["error"]["code"])


def test_the_bench_of_payme(payme: FakePayme, bill: Payment, told: list[Any]) -> None:
    assert payme.bench(bill.shop_transaction_id, TIYIN) == [
        ("wrong key", -32504),
        ("wrong amount", -31001),
        ("wrong account", -31050),
        ("check", {"allow": True}),
        ("create", 1),
        ("create again", 1),
        ("second id", -31099),
        ("perform", 2),
        ("perform again", 2),
        ("cancel", -2),
        ("cancel again", -2),
        ("check it", -2),
        ("unknown", -31003),
        ("statement", 1),
    ]
    assert [type(fact).__name__ for fact in told] == ["PaymentSettled", "RefundSettled"]
    assert cast.fresh(bill).status == "refunded"


def test_a_person_pays_on_the_page(payme: FakePayme, bill: Payment, told: list[Any]) -> None:
    link = payme.read_link(bill.pay_url.partition("/checkout/")[2])
    outcome = payme.pay(link.account, link.amount)
    assert outcome["ok"] is True
    seen = cast.fresh(bill)
    assert (seen.status, seen.captured_amount, seen.vendor_id) == ("paid", Decimal(150_000), outcome["transaction"])
    assert [type(fact).__name__ for fact in told] == ["PaymentSettled"]


def test_answers_have_the_documented_shape(payme: FakePayme, bill: Payment) -> None:
    made = create(payme, bill)
    assert made["id"] == 1 and made["jsonrpc"] == "2.0"
    attempt = Attempt.objects.get()
    assert made["result"] == {
        "create_time": attempt.created_ms,
        "transaction": str(attempt.pk),
        "state": 1,
        "receivers": None,
    }
    done = payme.call("PerformTransaction", {"id": ID})["result"]
    attempt.refresh_from_db()
    assert done == {"transaction": str(attempt.pk), "perform_time": attempt.performed_ms, "state": 2}
    assert payme.call("CheckTransaction", {"id": ID})["result"] == {
        "create_time": attempt.created_ms,
        "perform_time": attempt.performed_ms,
        "cancel_time": 0,
        "transaction": str(attempt.pk),
        "state": 2,
        "reason": None,
    }
    gone = payme.cancel(ID, 5)["result"]
    attempt.refresh_from_db()
    assert gone == {"transaction": str(attempt.pk), "cancel_time": attempt.cancelled_ms, "state": -2}
    assert payme.call("CheckTransaction", {"id": ID})["result"]["reason"] == 5


def test_the_statement_goes_by_paymes_clock_in_its_order(payme: FakePayme, aida: User) -> None:
    for number, time in (("a" * 24, 3000), ("b" * 24, 1000), ("c" * 24, 2000)):
        bill = cast.start(aida, method="payme", reference=number)
        Attempt.objects.create(
            payment=bill, method="payme", vendor_id=number, amount=bill.amount, vendor_time=time, created_ms=time
        )
    found = payme.statement(1000, 2000)
    assert [(row["id"], row["time"], row["amount"]) for row in found] == [
        ("b" * 24, 1000, TIYIN),
        ("c" * 24, 2000, TIYIN),
    ]
    assert payme.statement(4000, 5000) == []
    assert set(found[0]) == {
        *("id", "time", "amount", "account", "create_time", "perform_time", "cancel_time", "transaction", "state"),
        *("reason", "receivers"),
    }


def test_twelve_hours_end_a_transaction(payme: FakePayme, bill: Payment, told: list[Any]) -> None:
    create(payme, bill)
    Attempt.objects.update(created_ms=now_ms() - 43_200_000)
    assert code(payme.call("PerformTransaction", {"id": ID})) == -31008
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.reason) == (-1, 4)
    assert (cast.fresh(bill).status, told) == ("pending", [])
    assert create(payme, bill, "d" * 24)["result"]["state"] == 1


def test_an_old_transaction_makes_way_for_a_new_one(payme: FakePayme, bill: Payment) -> None:
    create(payme, bill)
    Attempt.objects.update(created_ms=now_ms() - 43_200_001)
    assert create(payme, bill, "d" * 24)["result"]["state"] == 1
    assert Attempt.objects.get(vendor_id=ID).state == -1
    assert code(create(payme, bill)) == -31008


def test_creating_with_an_old_time_is_refused(payme: FakePayme, bill: Payment) -> None:
    answer = payme.call("CreateTransaction", asked(bill, id=ID, time=now_ms() - 43_200_000))
    assert (code(answer), Attempt.objects.count()) == (-31008, 0)


def test_a_cancelled_transaction_stays_cancelled(payme: FakePayme, bill: Payment) -> None:
    create(payme, bill)
    first = payme.cancel(ID, 3)["result"]
    assert first["state"] == -1
    assert payme.cancel(ID, 3)["result"] == first
    assert code(payme.call("PerformTransaction", {"id": ID})) == -31008
    assert code(create(payme, bill)) == -31008
    assert cast.fresh(bill).status == "pending"


def test_taking_back_can_be_switched_off(payme: FakePayme, bill: Payment, settings: Any) -> None:
    settings.PAYMENTS = type(settings.PAYMENTS)(**{**vars(settings.PAYMENTS), "payme_return_allowed": False})
    payme.pay(bill.shop_transaction_id, TIYIN)
    number = payme.transactions[bill.shop_transaction_id]
    assert code(payme.cancel(number)) == -31007
    assert cast.fresh(bill).status == "paid"
    refund = actions.refund(by=None, payment=cast.fresh(bill), amount=None, key="k", reason="returned")
    assert refund.status == "pending"
    assert payme.cancel(number)["result"]["state"] == -2
    assert (Refund.objects.get().status, cast.fresh(bill).status) == ("succeeded", "refunded")


def test_payme_gives_back_all_or_nothing(payme: FakePayme, bill: Payment) -> None:
    payme.pay(bill.shop_transaction_id, TIYIN)
    with pytest.raises(actions.RefundOnlyWhole):
        actions.refund(by=None, payment=cast.fresh(bill), amount=Decimal(5), key="k", reason="returned")


def test_what_is_paid_otherwise_cannot_be_paid_by_payme(
    client: Client, aida: User, payme: FakePayme, bill: Payment, told: list[Any]
) -> None:
    create(payme, bill)
    cast.pay(client, cast.start(aida, key="by card"))
    assert code(payme.call("PerformTransaction", {"id": ID})) == -31008
    assert code(payme.call("CheckPerformTransaction", asked(bill))) == -31051
    assert [type(fact).__name__ for fact in told] == ["PaymentSettled"]


def test_a_payment_in_the_middle_is_not_expired(payme: FakePayme, bill: Payment) -> None:
    create(payme, bill)
    actions.reconcile(now=bill.expires_at + timedelta(minutes=6))
    assert cast.fresh(bill).status == "pending"
    assert payme.call("PerformTransaction", {"id": ID})["result"]["state"] == 2


def test_an_expired_payment_cannot_be_paid(payme: FakePayme, bill: Payment) -> None:
    actions.reconcile(now=bill.expires_at + timedelta(minutes=6))
    assert cast.fresh(bill).status == "cancelled"
    assert code(create(payme, bill)) == -31051


def test_the_receipt_lists_the_goods(payme: FakePayme, aida: User) -> None:
    line = actions.BasketLine("Slipper", 2, Decimal("75000"), spic="06401", package_code="123", vat_percent=12)
    bill = cast.start(aida, method="payme", basket=[line])
    assert payme.call("CheckPerformTransaction", asked(bill))["result"] == {
        "allow": True,
        "detail": {
            "receipt_type": 0,
            "items": [
                {
                    "title": "Slipper",
                    "price": 7_500_000,
                    "count": 2,
                    "code": "06401",
                    "package_code": "123",
                    "vat_percent": 12,
                }
            ],
        },
    }


def test_fiscal_data_is_kept(payme: FakePayme, bill: Payment) -> None:
    create(payme, bill)
    asked_for = {"id": ID, "type": "PERFORM", "fiscal_data": {"receipt_id": 7, "qr_code_url": "https://ofd.uz/7"}}
    assert payme.call("SetFiscalData", asked_for)["result"] == {"success": True}
    assert Attempt.objects.get().fiscal == {"PERFORM": {"receipt_id": 7, "qr_code_url": "https://ofd.uz/7"}}
    odd = {"a\x00": ["\ud800", float("nan"), "\\u0000"]}
    assert payme.call("SetFiscalData", {**asked_for, "fiscal_data": odd})["result"] == {"success": True}
    assert Attempt.objects.get().fiscal == {"PERFORM": {"a": ["?", None, "\\u0000"]}}
    assert code(payme.call("SetFiscalData", {**asked_for, "id": "e" * 24})) == -32001
    assert code(payme.call("SetFiscalData", {**asked_for, "type": "OTHER"})) == -32602


def test_a_fault_of_ours_is_minus_32400_and_moves_nothing(payme: FakePayme, bill: Payment, falling: None) -> None:
    create(payme, bill)
    answer = payme.call("PerformTransaction", {"id": ID})
    assert (code(answer), answer["id"]) == (-32400, 2)
    assert (Attempt.objects.get().state, cast.fresh(bill).status) == (1, "pending")


@pytest.mark.parametrize("levels", [19, 100, 500, 800])
def test_a_receipt_may_be_as_deep_as_it_likes(payme: FakePayme, bill: Payment, levels: int) -> None:
    create(payme, bill)
    receipt = '{"a":' * levels + "1" + "}" * levels
    raw = f'{{"method":"SetFiscalData","params":{{"id":"{ID}","type":"PERFORM","fiscal_data":{receipt}}}}}'
    answer = actions.answer_payme(raw=raw.encode(), authorization=basic("Paycom:demo-payme-key-of-the-sandbox"))
    assert answer["result"] == {"success": True}
    assert json.dumps(Attempt.objects.get().fiscal).count("{") == min(levels, 20) + 1


def test_the_words_are_in_three_languages(payme: FakePayme, db: None) -> None:
    words = payme.call("CheckTransaction", {"id": "f" * 24})["error"]["message"]
    assert len({words["ru"], words["uz"], words["en"]}) == 3


def test_payme_may_change_its_key(payme: FakePayme, bill: Payment) -> None:
    assert payme.call("ChangePassword", {"password": "a-new-secret-key"})["result"] == {"success": True}
    assert code(payme.call("CheckPerformTransaction", asked(bill))) == -32504
    assert payme.call("CheckPerformTransaction", asked(bill), key="a-new-secret-key")["result"] == {"allow": True}
    assert "a-new-secret-key" not in GatewayKey.objects.get().digest


RPC = '{"jsonrpc":"2.0","id":9,"method":"%s","params":{}}'


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        *("", "Basic", "Basic !!!", "Bearer demo-payme-key-of-the-sandbox", basic("Paycom:"), basic("Paycom:wrong")),
        *(basic("paycom:demo-payme-key-of-the-sandbox"), basic("demo-payme-key-of-the-sandbox"), basic("Paycom:ключ")),
    ],
)
def test_only_payme_gets_in(client: Client, db: None, header: str) -> None:
    answer = client.generic(
        "POST", "/payments/payme", RPC % "GetStatement", content_type="text/json", HTTP_AUTHORIZATION=header
    )
    assert answer.status_code == 200
    body = json.loads(answer.content)
    assert (body["error"]["code"], body["id"]) == (-32504, 9)
    assert set(body["error"]["message"]) == {"ru", "uz", "en"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("{", -32700),
        ("", -32700),
        ("[]", -32600),
        ("5", -32600),
        ("{}", -32600),
        ('{"method":5,"params":{}}', -32600),
        ('{"method":"CheckTransaction"}', -32600),
        ('{"method":"CheckTransaction","params":[]}', -32600),
        (RPC % "Unknown", -32601),
        (RPC % "CheckTransaction", -31003),
        (RPC % "PerformTransaction", -31003),
        (RPC % "CancelTransaction", -31003),
        (RPC % "CheckPerformTransaction", -31050),
        (RPC % "CreateTransaction", -31003),
        (RPC % "GetStatement", -32600),
        (RPC % "SetFiscalData", -32602),
        (RPC % "ChangePassword", -32602),
        ('{"id":{},"method":"CheckTransaction","params":{"id":"\\u0000"}}', -31003),
        ('{"method":"CheckPerformTransaction","params":{"account":{"order_id":"\\u0000"},"amount":1}}', -31050),
        ('{"method":"GetStatement","params":{"from":1e400,"to":5}}', -32600),
        ('{"id":"\\ud800","method":"\\ud800","params":{}}', -32601),
        ('{"method":"CheckPerformTransaction","params":{"account":{"order_id":"\\ud800"},"amount":1}}', -31050),
        ("1" * 5000, -32700),
        ('{"method":"GetStatement","params":{"from":99999999999999999999,"to":5}}', -32600),
    ],
)
def test_every_error_has_its_code_and_status_200(client: Client, db: None, raw: str, expected: int) -> None:
    right = basic("Paycom:demo-payme-key-of-the-sandbox")
    answer = client.generic("POST", "/payments/payme", raw, content_type="text/json", HTTP_AUTHORIZATION=right)
    assert answer.status_code == 200
    assert json.loads(answer.content)["error"]["code"] == expected


def test_get_is_minus_32300(client: Client, db: None) -> None:
    answer = client.get("/payments/payme", HTTP_AUTHORIZATION=basic("Paycom:demo-payme-key-of-the-sandbox"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32300)


@pytest.mark.parametrize("amount", [TIYIN - 1, 0, -TIYIN, str(TIYIN), float(TIYIN), None, True])
def test_only_the_exact_amount_is_taken(payme: FakePayme, bill: Payment, amount: Any) -> None:
    assert code(payme.call("CheckPerformTransaction", asked(bill, amount=amount))) == -31001


@pytest.mark.race
def test_twins_of_one_call_make_one_transaction(client: Client) -> None:
    bill = cast.start(cast.person("aida"), method="payme")
    params = asked(bill, id=ID, time=now_ms())
    results = race(10, lambda number: cast.call_payme("CreateTransaction", params)["result"]["transaction"])
    assert len(set(results)) == 1, outcomes(results)
    results = race(10, lambda number: cast.call_payme("PerformTransaction", {"id": ID})["result"]["perform_time"])
    assert len(set(results)) == 1, outcomes(results)
    assert cast.fresh(bill).captured_amount == Decimal(150_000)


@pytest.mark.race
def test_two_transactions_of_one_bill_at_once(client: Client) -> None:
    bill = cast.start(cast.person("aida"), method="payme")
    results = race(
        6,
        lambda number: cast.call_payme("CreateTransaction", asked(bill, id=f"{number}" * 24, time=now_ms())),
    )
    assert sorted("result" in answer for answer in results) == [False] * 5 + [True]
    assert {answer["error"]["code"] for answer in results if "error" in answer} == {-31099}
