"""Texts to nobody: the console of a developer, and the fake of the tests. Real vendors: eskiz, playmobile, twilio."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field

from apps.core import phones
from apps.integrations.ports import SmsReceipt, VendorError
from apps.integrations.sandbox import recorder

log = logging.getLogger(__name__)


class ConsoleSms:
    """Sends nothing. The text is kept for `/__sandbox/messages`; the console only hears that there was one.

    The console is a log as soon as somebody redirects it, and these texts hold one-time codes.
    """

    def send(self, *, to: str, text: str, reference: str = "") -> SmsReceipt:
        recorder.record("sms", to, text)
        log.info("SMS to %s, %d characters: see /__sandbox/messages?channel=sms", phones.mask(to), len(text))
        return SmsReceipt(vendor_id=str(uuid.uuid4()))


@dataclass(frozen=True)
class SentSms:
    """One text as the fake got it."""

    to: str
    text: str = field(repr=False)
    reference: str = ""


class FakeSms:
    """`sent` keeps every text, oldest first; `fail_with` makes the next ones fail."""

    def __init__(self) -> None:
        self.sent: list[SentSms] = []
        self._problems: list[VendorError] = []

    def fail_with(self, problem: VendorError, count: int = 1) -> None:
        """The next `count` texts raise that error and are not sent."""
        self._problems = [problem] * count

    def send(self, *, to: str, text: str, reference: str = "") -> SmsReceipt:
        if self._problems:
            raise self._problems.pop()
        self.sent.append(SentSms(to, text, reference))
        recorder.record("sms", to, text)
        return SmsReceipt(vendor_id=str(uuid.uuid4()))
