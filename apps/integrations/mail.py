"""E-mail through Django's mail backend, which is our port to SMTP (design 3.14)."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass, field

from django.core.mail import BadHeaderError, EmailMultiAlternatives

from apps.integrations.ports import VendorBusy, VendorError, VendorRefused, VendorUnsure
from apps.integrations.sandbox import recorder


class DjangoMail:
    """The `Mail` port over EMAIL_BACKEND: SMTP in production, the sandbox's recorder on a laptop.

    Needs EMAIL_TIMEOUT.
    """

    def send(self, *, to: str, subject: str, text: str, html: str = "") -> None:
        letter = EmailMultiAlternatives(subject=subject, body=text, to=[to])
        if html:
            letter.attach_alternative(html, "text/html")
        try:
            letter.send()
        except BadHeaderError:
            raise VendorRefused("mail: a line break in a header") from None
        except (smtplib.SMTPException, OSError) as problem:
            raise _in_our_words(problem) from None


@dataclass(frozen=True)
class SentMail:
    """One letter as the fake got it."""

    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(default="", repr=False)


class FakeMail:
    """`sent` keeps every letter, oldest first; `fail_with` makes the next ones fail."""

    def __init__(self) -> None:
        self.sent: list[SentMail] = []
        self._problems: list[VendorError] = []

    def fail_with(self, problem: VendorError, count: int = 1) -> None:
        """The next `count` letters raise that error and are not sent."""
        self._problems = [problem] * count

    def send(self, *, to: str, subject: str, text: str, html: str = "") -> None:
        if self._problems:
            raise self._problems.pop()
        self.sent.append(SentMail(to, subject, text, html))
        recorder.record("mail", to, f"{subject}\n\n{text}")


def _in_our_words(problem: Exception) -> VendorError:
    """SMTP 4xx = later, 5xx = never; a recipient refused for good is a dead address."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in problem.recipients.values()]
        if all(500 <= code < 600 for code in codes):
            return VendorRefused("mail: the recipient is refused", dead=True)
        return VendorBusy("mail: the recipient is deferred")
    if isinstance(problem, smtplib.SMTPResponseException) and not isinstance(problem, smtplib.SMTPConnectError):
        code = problem.smtp_code
        return VendorRefused(f"mail: {code}") if 500 <= code < 600 else VendorBusy(f"mail: {code}")
    if isinstance(problem, TimeoutError):
        return VendorUnsure("mail: no answer")
    return VendorBusy(f"mail: {type(problem).__name__}")
