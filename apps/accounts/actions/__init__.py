"""Everything that changes people, by noun. Products write `from apps.accounts import actions as accounts`."""

from apps.accounts.actions.codes import check_code, prove_code, request_code, use_code
from apps.accounts.actions.mail import (
    Letter,
    accept_invite,
    find_mail_token,
    reset_password,
    send_mail_token,
    verify_email,
)
from apps.accounts.actions.merges import merge, undo_merge
from apps.accounts.actions.passwords import change_password, set_password
from apps.accounts.actions.people import (
    block,
    can_be_messaged,
    ensure_roles,
    erase,
    person_from_telegram,
    register,
    set_identifier,
    unblock,
)
from apps.accounts.actions.sessions import admit, log_in, log_out, log_out_everywhere, rotate
from apps.accounts.caller import NOWHERE, Caller
from apps.accounts.errors import EmailTaken, InitDataInvalid

__all__ = [
    "NOWHERE",
    "Caller",
    "EmailTaken",
    "InitDataInvalid",
    "Letter",
    "accept_invite",
    "admit",
    "block",
    "can_be_messaged",
    "change_password",
    "check_code",
    "ensure_roles",
    "erase",
    "find_mail_token",
    "log_in",
    "log_out",
    "log_out_everywhere",
    "merge",
    "person_from_telegram",
    "prove_code",
    "register",
    "request_code",
    "reset_password",
    "rotate",
    "send_mail_token",
    "set_identifier",
    "set_password",
    "unblock",
    "undo_merge",
    "use_code",
    "verify_email",
]
