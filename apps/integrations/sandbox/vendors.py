"""One fake of each vendor per process: the in-process fakes and the HTTP views talk to the same objects."""

from __future__ import annotations

from apps.integrations.sandbox import recorder
from apps.integrations.sandbox.click import FakeClickPay
from apps.integrations.sandbox.cryptobot import FakeCryptoPay
from apps.integrations.sandbox.eskiz import FakeEskiz
from apps.integrations.sandbox.fcm import FakeFcm
from apps.integrations.sandbox.iiko import FakeIikoCloud
from apps.integrations.sandbox.myresto import FakeMyRestoSite
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.integrations.sandbox.payme import FakePayme
from apps.integrations.sandbox.playmobile import FakePlayMobile
from apps.integrations.sandbox.telegram import FakeTelegram
from apps.integrations.sandbox.twilio import FakeTwilio
from apps.integrations.sandbox.vendor import Vendor
from apps.integrations.sandbox.webpush import FakeWebPush
from apps.integrations.sandbox.yukassa import FakeYooKassa

telegram = FakeTelegram()
cryptobot = FakeCryptoPay()
yukassa = FakeYooKassa()
eskiz = FakeEskiz()
playmobile = FakePlayMobile()
twilio = FakeTwilio()
fcm = FakeFcm()
webpush = FakeWebPush()
octo = FakeOctoBank()
payme = FakePayme()
click = FakeClickPay()
iiko = FakeIikoCloud()
myresto = FakeMyRestoSite()

BY_NAME: dict[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        *(telegram, cryptobot, yukassa, eskiz, playmobile, twilio, fcm, webpush),
        *(octo, payme, click, iiko, myresto),
    )
}


def reset() -> None:
    """Every vendor back to its first day, and no message recorded: call it between tests."""
    recorder.clear()
    for vendor in BY_NAME.values():
        vendor.clear()
