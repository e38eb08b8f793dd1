"""EMAIL_BACKEND of embedded mode: letters land in the recorder."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from apps.integrations.sandbox import recorder


class SandboxEmailBackend(BaseEmailBackend):
    """Records subject and text once per recipient; show them with `/__sandbox/messages?channel=mail`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for letter in email_messages:
            # Raises BadHeaderError exactly as the SMTP backend would.
            letter.message()
            for address in letter.recipients():
                recorder.record("mail", address, f"{letter.subject}\n\n{letter.body}")
        return len(email_messages)
