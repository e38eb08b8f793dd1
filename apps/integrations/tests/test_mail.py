"""Letters: Django's backend behind the port, the sandbox's backend, the fake."""

from __future__ import annotations

import smtplib

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives

from apps.integrations.mail import DjangoMail, FakeMail
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.sandbox import recorder

LETTER = {"to": "ali@example.com", "subject": "Mahalla", "text": "Salom"}


def test_a_letter_with_both_forms():
    DjangoMail().send(**LETTER, html="<b>Salom</b>")
    [letter] = django_mail.outbox
    assert (letter.to, letter.subject, letter.body) == (["ali@example.com"], "Mahalla", "Salom")
    assert letter.alternatives[0].content == "<b>Salom</b>"


@pytest.mark.parametrize(
    ("problem", "expected", "dead"),
    [
        (smtplib.SMTPRecipientsRefused({"ali@example.com": (550, b"no such user")}), VendorRefused, True),
        (smtplib.SMTPRecipientsRefused({"ali@example.com": (450, b"greylisted")}), VendorBusy, None),
        (smtplib.SMTPDataError(451, b"later"), VendorBusy, None),
        (smtplib.SMTPDataError(554, b"spam"), VendorRefused, False),
        (smtplib.SMTPAuthenticationError(535, b"password"), VendorRefused, False),
        (smtplib.SMTPConnectError(554, b"go away"), VendorBusy, None),
        (smtplib.SMTPServerDisconnected("gone"), VendorBusy, None),
        (ConnectionRefusedError(), VendorBusy, None),
        (TimeoutError(), VendorUnsure, None),
    ],
)
def test_smtp_in_our_words(monkeypatch, problem, expected, dead):
    def fail(self, fail_silently=False):
        raise problem

    monkeypatch.setattr(EmailMultiAlternatives, "send", fail)
    with pytest.raises(expected) as caught:
        DjangoMail().send(**LETTER)
    assert getattr(caught.value, "dead", None) is dead
    assert "ali@example.com" not in str(caught.value)


def test_a_line_break_in_a_header_is_refused(settings):
    settings.EMAIL_BACKEND = "apps.integrations.sandbox.mail.SandboxEmailBackend"
    with pytest.raises(VendorRefused):
        DjangoMail().send(**{**LETTER, "subject": "Mahalla\nBcc: everybody@example.com"})
    assert recorder.messages() == []


def test_the_sandbox_backend_records(settings):
    settings.EMAIL_BACKEND = "apps.integrations.sandbox.mail.SandboxEmailBackend"
    DjangoMail().send(**LETTER)
    [kept] = recorder.messages(channel="mail", to="Ali@Example.com")
    assert kept["text"] == "Mahalla\n\nSalom"


def test_the_fake():
    mail = FakeMail()
    mail.fail_with(VendorBusy())
    with pytest.raises(VendorBusy):
        mail.send(**LETTER)
    mail.send(**LETTER, html="<b>Salom</b>")
    [sent] = mail.sent
    assert (sent.to, sent.subject, sent.text, sent.html) == ("ali@example.com", "Mahalla", "Salom", "<b>Salom</b>")
