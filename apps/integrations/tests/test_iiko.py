"""iiko over HTTP against its fake (contract loyalty 4.1, 4.2; integrations 4)."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client

from apps.integrations import iiko as adapter
from apps.integrations.guests import GuestCard, GuestChanges, GuestGroup, GuestWallet
from apps.integrations.http import Asked, Reply, to_fake
from apps.integrations.iiko import FakeIiko, Iiko
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure, port
from apps.integrations.sandbox import vendors
from apps.integrations.tests import urls
from apps.integrations.tests.test_sandbox import control

PHONE = "+998901234567"
EVERYTHING = GuestChanges(
    name="Aziza",
    surname="Karimova",
    middle_name="B",
    birthday=date(1990, 5, 17),
    gender="female",
    email="aziza@example.com",
)


@pytest.fixture
def guests(sandbox, settings) -> Iiko:
    urls.heard.clear()
    settings.SANDBOX_WEBHOOKS = {"iiko": f"{sandbox}/webhook"}
    return Iiko()


def sent(path: str) -> list[dict]:
    return [json.loads(kept["body"]) for kept in vendors.iiko.requests if kept["path"].endswith(path)]


class TestGuests:
    def test_nobody(self, guests):
        assert guests.find_guest(phone=PHONE) is None

    def test_made_and_found_with_purse(self, guests):
        guest_id = guests.save_guest(phone=PHONE, changes=EVERYTHING)
        known = vendors.iiko.people[PHONE]
        known.balance = Decimal("1234.50")
        found = guests.find_guest(phone=PHONE)
        assert (found.guest_id, found.name, found.surname, found.middle_name) == (guest_id, "Aziza", "Karimova", "B")
        assert (found.birthday, found.gender, found.email) == (date(1990, 5, 17), "female", "aziza@example.com")
        assert found.wallets == (GuestWallet(known.wallet_id, 1, Decimal("1234.50"), "Bonus"),)
        assert (found.cards, found.is_deleted) == ((), False)

    def test_the_wire_is_the_vendors(self, guests):
        guests.save_guest(phone=PHONE, changes=EVERYTHING)
        [asked] = sent("/customer/create_or_update")
        assert asked == {
            "organizationId": "organization-1",
            "phone": PHONE,
            "comment": "mahalla",
            "name": "Aziza",
            "surName": "Karimova",
            "middleName": "B",
            "birthday": "1990-05-17 00:00:00.000",
            "sex": 2,
            "email": "aziza@example.com",
        }

    def test_only_what_is_said_is_sent(self, guests):
        guests.save_guest(phone=PHONE, changes=EVERYTHING)
        guests.save_guest(phone=PHONE, changes=GuestChanges(email="", gender=""))
        assert sent("/customer/create_or_update")[1] == {
            "organizationId": "organization-1",
            "phone": PHONE,
            "comment": "mahalla",
            "email": "",
            "sex": 0,
        }
        found = guests.find_guest(phone=PHONE)
        assert (found.name, found.email, found.gender) == ("Aziza", "", "")

    def test_struck_off_by_id_and_brought_back(self, guests):
        guest_id = guests.save_guest(phone=PHONE, changes=EVERYTHING)
        guests.save_guest(phone=PHONE, guest_id=guest_id, changes=GuestChanges(is_deleted=True))
        assert guests.find_guest(phone=PHONE).is_deleted
        guests.save_guest(phone=PHONE, changes=GuestChanges(is_deleted=False))
        assert not guests.find_guest(phone=PHONE).is_deleted

    def test_a_card(self, guests):
        guest_id = guests.save_guest(phone=PHONE, changes=GuestChanges(name="Aziza"))
        assert guests.add_card(guest_id=guest_id, number="8600000000000001", track="1" * 20) == ""
        [card] = guests.find_guest(phone=PHONE).cards
        assert card == GuestCard(card.card_id, "8600000000000001", "1" * 20)
        other = guests.save_guest(phone="+998901234568", changes=GuestChanges(name="Bek"))
        with pytest.raises(VendorRefused, match="Customer_CardAlreadyExists"):
            guests.add_card(guest_id=other, number="8600000000000001", track="2" * 20)

    def test_groups(self, guests):
        guest_id = guests.save_guest(phone=PHONE, changes=GuestChanges(name="Aziza"))
        assert guests.categories() == [GuestGroup("vip", "VIP", True)]
        assert guests.programs() == [GuestGroup("bonus", "Bonus", True, "bonus")]
        assert guests.join_program(guest_id=guest_id, program_id="bonus") == vendors.iiko.people[PHONE].wallet_id
        guests.put_into_category(guest_id=guest_id, category_id="vip")
        guests.put_into_category(guest_id=guest_id, category_id="vip")
        assert vendors.iiko.people[PHONE].categories == ["vip"]

    def test_repr_shows_nobody(self, guests):
        guests.save_guest(phone=PHONE, changes=EVERYTHING)
        for thing in (guests.find_guest(phone=PHONE), EVERYTHING):
            assert not any(word in repr(thing) for word in ("Aziza", "Karimova", "aziza@", "1990"))


class TestToken:
    def test_one_for_all(self, guests):
        guests.find_guest(phone=PHONE)
        Iiko().find_guest(phone=PHONE)
        assert vendors.iiko.sign_ins == 1
        assert sent("/access_token") == [{"apiLogin": "iiko-login"}]

    def test_an_old_one_is_renewed_once(self, guests):
        guests.find_guest(phone=PHONE)
        vendors.iiko.expire_tokens()
        assert guests.find_guest(phone=PHONE) is None
        assert vendors.iiko.sign_ins == 2

    def test_a_login_that_stays_refused_is_no_missing_guest(self, guests, change):
        change(iiko_api_login="other")
        vendors.iiko.answer = lambda asked: Reply.json({"error": "x"}, 400)  # the sign-in answers 400 too
        try:
            with pytest.raises(VendorRefused, match="sign-in is refused with status 400"):
                guests.find_guest(phone=PHONE)
        finally:
            del vendors.iiko.answer
        assert cache.get(adapter.TOKEN_KEY) is None

    def test_who_comes_second_waits_a_second(self, guests):
        cache.add(adapter.LOCK_KEY, 1, 15)
        with pytest.raises(VendorBusy) as busy:
            guests.find_guest(phone=PHONE)
        assert busy.value.retry_after == 1
        assert not vendors.iiko.requests

    def test_the_lock_is_given_back_after_a_failure(self, guests):
        vendors.iiko.fail_next(count=9, status=500)
        with pytest.raises(VendorBusy):
            guests.find_guest(phone=PHONE)
        vendors.iiko.fail_next(count=0)
        assert guests.find_guest(phone=PHONE) is None

    @pytest.mark.parametrize(
        ("told", "kept"), [({}, 3570), ({"expiresIn": 900}, 870), ({"expires_in": 20}, 30), ({"expires": "soon"}, 3570)]
    )
    def test_life(self, told, kept):
        assert adapter._life(told) == kept

    def test_not_configured(self, change):
        change(iiko_api_login="")
        assert not FakeIiko().is_configured()
        with pytest.raises(VendorRefused, match="not configured"):
            FakeIiko().find_guest(phone=PHONE)

    def test_the_relay_gets_its_secret(self, guests, change):
        change(iiko_proxy_secret="relay-secret")
        heard = []

        def listen(asked: Asked) -> Reply:
            heard.append(asked.headers.get("x-iiko-proxy-secret"))
            return vendors.iiko.handle(asked)

        Iiko(to_fake(listen)).find_guest(phone=PHONE)
        assert heard == ["relay-secret", "relay-secret"]


class TestTrouble:
    def test_down(self, guests):
        guests.find_guest(phone=PHONE)
        vendors.iiko.go_down(60)
        for deed in (
            lambda: guests.find_guest(phone=PHONE),
            lambda: guests.save_guest(phone=PHONE, changes=EVERYTHING),
        ):
            with pytest.raises(VendorBusy):
                deed()
        assert vendors.iiko.people == {}

    def test_reading_is_repeated_writing_is_not(self, guests):
        guests.find_guest(phone=PHONE)
        vendors.iiko.requests.clear()
        vendors.iiko.lose_next(2)
        with pytest.raises(VendorBusy):
            guests.find_guest(phone=PHONE)
        assert len(vendors.iiko.requests) == 2
        vendors.iiko.lose_next(1)
        with pytest.raises(VendorUnsure):
            guests.save_guest(phone=PHONE, changes=EVERYTHING)
        assert len(vendors.iiko.requests) == 3
        assert list(vendors.iiko.people) == [PHONE]

    def test_too_often(self, guests):
        guests.find_guest(phone=PHONE)
        vendors.iiko.fail_next(count=2, status=429, retry_after=7)
        with pytest.raises(VendorBusy) as busy:
            guests.find_guest(phone=PHONE)
        assert busy.value.retry_after == 7

    def test_patience(self, guests):
        guests.find_guest(phone=PHONE)
        vendors.iiko.delay_next(seconds=2, count=2)
        with pytest.raises(VendorBusy):
            FakeIiko().find_guest(phone=PHONE, patience_s=1.5)

    @pytest.mark.parametrize(
        ("status", "body"),
        [(400, {"errorDescription": "Organization is not available", "error": None}), (400, {}), (422, {})],
    )
    def test_a_refusal_is_no_missing_guest(self, guests, status, body):
        guests.find_guest(phone=PHONE)
        vendors.iiko.failure = lambda status, retry_after: Reply.json(body, status)
        vendors.iiko.fail_next(status=status)
        try:
            with pytest.raises(VendorRefused, match=f"iiko: status {status}"):
                guests.find_guest(phone=PHONE)
        finally:
            del vendors.iiko.failure

    @pytest.mark.parametrize("body", [[], {}, {"id": 5}, {"id": None}])
    def test_nonsense(self, guests, body):
        guests.find_guest(phone=PHONE)
        vendors.iiko.failure = lambda status, retry_after: Reply.json(body, 200)
        vendors.iiko.fail_next(count=2, status=200)
        try:
            with pytest.raises(VendorUnsure):
                guests.find_guest(phone=PHONE)
            with pytest.raises(VendorUnsure):
                guests.save_guest(phone=PHONE, changes=EVERYTHING)
        finally:
            del vendors.iiko.failure

    def test_other_spellings(self):
        told = {
            "customerId": "c1",
            "gender": " Man ",
            "surName": "Aliyev",
            "birthday": "1990-05-17T00:00:00.000",
            "walletBalances": [{"walletId": "w1", "type": "x", "availableBalance": "10.5"}, {"id": "w2"}, 7],
            "cards": [{"cardId": "k", "cardNumber": "8600", "cardTrack": "t"}],
        }
        guest = adapter._guest(told)
        assert (guest.guest_id, guest.gender, guest.surname, guest.birthday) == (
            *("c1", "male", "Aliyev"),
            date(1990, 5, 17),
        )
        assert guest.wallets == (GuestWallet("w1", None, Decimal("10.50")), GuestWallet("w2"))
        assert guest.cards == (GuestCard("k", "8600", "t"),)

    @pytest.mark.parametrize("given", ["", "NaN", "Infinity", "1e40", True, None, [], {}])
    def test_no_money(self, given):
        assert adapter.money(given) is None


class TestNotices:
    def test_moves_are_posted_with_the_password(self, guests, sandbox):
        vendors.iiko.make(PHONE, Decimal(500))
        client = Client()
        assert control(client, "iiko/control/move", phone=PHONE, sum=1000)[1]["delivery"]["status"] == 200
        assert control(client, "iiko/control/move", phone=PHONE, sum=300, type="PayFromWallet")[0] == 200
        first, second = (json.loads(request.body) for request in urls.heard)
        assert (first["sum"], first["balance"], first["transactionType"]) == (1000.0, 1500.0, "Accrual")
        assert (second["sum"], second["balance"]) == (300.0, 1200.0)
        assert Iiko().is_genuine(first["subscriptionPassword"])
        assert first["customerId"] == vendors.iiko.people[PHONE].id
        assert first["id"] != second["id"]

    def test_a_storm_repeats_and_mixes(self, guests):
        vendors.iiko.make(PHONE)
        notices = vendors.iiko.storm(PHONE, count=10, repeats=1, seed=4)
        bodies = [json.loads(notice.body) for notice in notices]
        assert len(bodies) == 20
        assert len({body["id"] for body in bodies}) == 10
        stamps = [body["changedOn"] for body in bodies]
        assert stamps != sorted(stamps)

    def test_a_stranger_and_a_forger(self, guests):
        client = Client()
        assert control(client, "iiko/control/stranger", phone=PHONE)[1]["delivery"]["status"] == 200
        assert PHONE not in vendors.iiko.people
        vendors.iiko.make(PHONE)
        vendors.iiko.break_signatures()
        assert control(client, "iiko/control/move", phone=PHONE, sum=5)[0] == 200
        assert not Iiko().is_genuine(json.loads(urls.heard[-1].body)["subscriptionPassword"])
        assert control(client, "iiko/control/move", phone="+998900000000", sum=5)[0] == 404

    def test_without_a_password_of_ours_any_notice_goes(self, change):
        assert not Iiko().is_genuine("")
        change(iiko_webhook_secret="")
        assert Iiko().is_genuine("")

    def test_other_controls(self, guests):
        client = Client()
        made = control(client, "iiko/control/guest", phone=PHONE, balance="10", name="Aziza")[1]["guest"]
        assert (made["name"], made["walletBalances"][0]["balance"]) == ("Aziza", 10.0)
        guests.find_guest(phone=PHONE)
        assert control(client, "iiko/control/expire-tokens") == (200, {"ok": True})
        assert guests.find_guest(phone=PHONE).name == "Aziza"
        assert vendors.iiko.sign_ins == 2
        assert control(client, "iiko/control/down", seconds=60)[0] == 200
        with pytest.raises(VendorBusy):
            guests.find_guest(phone=PHONE)
        assert control(client, "iiko/control/guest", phone=PHONE, balance="lots")[0] == 400


def test_the_port_in_tests_is_the_fake(settings):
    assert isinstance(port("loyalty_system"), FakeIiko)
