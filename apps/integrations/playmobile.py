"""PlayMobile, a second SMS vendor of Uzbekistan (contract integrations 5, last row)."""

from __future__ import annotations

import uuid

from django.conf import settings

from apps.integrations import http
from apps.integrations.ports import SmsReceipt, VendorBusy, VendorRefused
from apps.integrations.sandbox import vendors

INTERNAL_ERROR = 100


class PlayMobile:
    """The `Sms` port over the PlayMobile broker."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def send(self, *, to: str, text: str, reference: str = "") -> SmsReceipt:
        """Send one text; `reference` (or a new id) becomes its message id, by which the vendor tells texts apart."""
        conf = settings.INTEGRATIONS
        message_id = reference or str(uuid.uuid4())
        content = {"originator": conf.playmobile_originator, "content": {"text": text}}
        message = {"recipient": to.removeprefix("+"), "message-id": message_id, "sms": content}
        answer = self._send(
            http.Call(
                vendor="playmobile",
                method="POST",
                url=f"{conf.playmobile_base_url}/broker-api/send",
                json={"messages": [message]},
                basic=(conf.playmobile_login, conf.playmobile_password),
            )
        )
        _refuse(http.refuse_trouble(answer))
        return SmsReceipt(vendor_id=message_id)


class FakePlayMobileSms(PlayMobile):
    """The same client, talking to the fake PlayMobile in this process."""

    def __init__(self) -> None:
        self.vendor = vendors.playmobile
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def _refuse(answer: http.Answer) -> None:
    if answer.status == 200:
        return
    told = answer.fields()
    code = told.get("error-code")
    if code == INTERNAL_ERROR:
        raise VendorBusy("playmobile: internal error")
    raise VendorRefused(f"playmobile: {code} {http.redact(str(told.get('error-description', '')))}".rstrip())
