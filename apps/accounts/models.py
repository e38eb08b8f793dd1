"""What can be true about a person: how he is recognised, what proves it, and what happened at the door."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

IDENTIFIERS = ("phone", "email", "telegram_id", "username")
"""The columns by which a person is found; each optional, each unique when present (design 3.8)."""


class UserManager(BaseUserManager["User"]):
    """Makes people; everyday paths use `accounts.actions`, this serves Django's commands, seeds and tests."""

    def create_user(self, *, password: str | None = None, **fields: Any) -> User:
        """A person with the given identifiers; empty ones become NULL, e-mail and username are kept in lower case."""
        for name in IDENTIFIERS:
            fields[name] = fields.get(name) or None
        for name in ("email", "username"):
            fields[name] = fields[name].lower() if fields[name] else None
        user = self.model(**fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *, password: str | None = None, **fields: Any) -> User:
        """A person who may do everything in the back office."""
        return self.create_user(password=password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A human. Products know him by their own membership rows; nothing outside accounts shows `id` (design 3.8)."""

    phone = models.CharField(_("phone"), max_length=16, unique=True, null=True, blank=True, help_text=_("E.164"))
    email = models.EmailField(_("e-mail"), unique=True, null=True, blank=True)
    telegram_id = models.BigIntegerField(_("Telegram id"), unique=True, null=True, blank=True)
    username = models.CharField(_("sign-in name"), max_length=100, unique=True, null=True, blank=True)
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=2, default="ru", help_text=_("ru, uz, tr or en"))
    photo_url = models.URLField(_("photo"), max_length=512, blank=True)
    telegram_username = models.CharField(
        _("Telegram name"), max_length=32, blank=True, help_text=_("Not used to sign in")
    )
    telegram_language = models.CharField(_("language of Telegram"), max_length=10, blank=True)
    can_message_bot = models.BooleanField(_("reads our bot"), default=False)
    phone_verified_at = models.DateTimeField(_("phone proved"), null=True, blank=True)
    email_verified_at = models.DateTimeField(_("e-mail proved"), null=True, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("works in the back office"), default=False)
    blocked_at = models.DateTimeField(_("blocked"), null=True, blank=True)
    block_reason = models.CharField(_("why blocked"), max_length=500, blank=True)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged_from",
        verbose_name=_("is the same person as"),
    )
    tokens_valid_from = models.DateTimeField(
        _("tokens valid from"),
        null=True,
        blank=True,
        help_text=_("Everything issued earlier is dead; empty: nothing was revoked"),
    )
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["-id"]
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=None) | models.Q(email=Lower("email")), name="accounts_email_lower"
            ),
            models.CheckConstraint(
                condition=models.Q(username=None) | models.Q(username=Lower("username")), name="accounts_username_lower"
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(blocked_at=None, erased_at=None, merged_into=None),
                name="accounts_active_is_plain",
            ),
        ]
        indexes = [models.Index(fields=["last_name", "first_name"], name="accounts_user_name")]
        permissions = [
            ("block_user", "Can block and unblock people"),
            ("merge_user", "Can merge people and undo it"),
            ("erase_user", "Can erase people"),
            ("reset_second_factor", "Can take away a second factor"),
            ("export_user", "Can export people"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username or f"#{self.pk}"

    @property
    def user(self) -> User:
        """So that a person can be `by` in an action, like a membership (`core.access.Actor`)."""
        return self

    def get_full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """The name used in a greeting."""
        return self.first_name or self.get_full_name()

    @property
    def is_reachable_by_bot(self) -> bool:
        """The person is linked to Telegram and lets our bot write."""
        return bool(self.telegram_id and self.can_message_bot)


class OneTimeCode(models.Model):
    """A code that was sent to a phone. The code itself is not here: only a keyed hash of it."""

    class Channel(models.TextChoices):
        SMS = "sms", _("SMS")
        BOT = "bot", _("Telegram")
        NONE = "none", _("not sent")

    phone = models.CharField(_("phone"), max_length=16)
    purpose = models.CharField(_("purpose"), max_length=60, help_text=_("Product and deed, e.g. loyalty:login"))
    salt = models.CharField(max_length=32, editable=False)
    code_hash = models.CharField(max_length=64, editable=False)
    channel = models.CharField(_("sent by"), max_length=4, choices=Channel, default=Channel.NONE)
    vendor_id = models.CharField(_("vendor's id"), max_length=120, blank=True)
    progress = models.CharField(
        _("vendor's report"), max_length=9, blank=True, help_text=_("How far the text has come, as its vendor told us")
    )
    reported_at = models.DateTimeField(_("reported"), null=True, blank=True)
    address = models.GenericIPAddressField(_("asked from"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("wrong tries"), default=0)
    max_tries = models.PositiveSmallIntegerField(_("tries allowed"), default=5)
    created_at = models.DateTimeField(_("asked"), default=timezone.now)
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    burnt_at = models.DateTimeField(
        _("burnt"), null=True, blank=True, help_text=_("Replaced by a newer one or tried too often")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("one-time code")
        verbose_name_plural = _("one-time codes")
        constraints = [
            models.UniqueConstraint(
                fields=["phone", "purpose"],
                condition=models.Q(used_at=None, burnt_at=None),
                name="accounts_one_live_code",
            ),
            models.CheckConstraint(condition=models.Q(tries__lte=models.F("max_tries")), name="accounts_tries_bounded"),
        ]
        indexes = [
            models.Index(fields=["phone", "purpose", "-id"], name="accounts_code_newest"),
            models.Index(fields=["created_at"], name="accounts_code_age"),
            models.Index(fields=["vendor_id"], name="accounts_code_of_text", condition=~models.Q(vendor_id="")),
        ]

    @property
    def state(self) -> str:
        """live, used, burnt or expired."""
        if self.used_at:
            return "used"
        if self.burnt_at:
            return "burnt"
        return "live" if self.expires_at > timezone.now() else "expired"


class MailToken(models.Model):
    """A link sent by e-mail: proves an address, lets a forgotten password be replaced, or invites.

    Only a hash is kept.
    """

    class Kind(models.TextChoices):
        VERIFY = "verify", _("prove the address")
        RESET = "reset", _("forgotten password")
        INVITE = "invite", _("invitation")

    user = models.ForeignKey(User, models.CASCADE, related_name="mail_tokens", verbose_name=_("person"))
    product = models.CharField(_("product"), max_length=20, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    email = models.EmailField(_("e-mail"))
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("sent"), default=timezone.now)
    expires_at = models.DateTimeField(_("valid until"), db_index=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    voided_at = models.DateTimeField(_("replaced"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("mail link")
        verbose_name_plural = _("mail links")
        indexes = [models.Index(fields=["user", "kind"], name="accounts_mail_of_user")]


class Session(models.Model):
    """One sign-in on one device: the family of refresh tokens that follow one another. Only the newest is good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions", verbose_name=_("person"))
    audience = models.CharField(_("product"), max_length=20)
    subject = models.CharField(_("membership"), max_length=64, help_text=_("The id that the product's clients know"))
    refresh_id = models.UUIDField(_("newest refresh token"), default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("signed in"), default=timezone.now)
    rotated_at = models.DateTimeField(_("last renewed"), null=True, blank=True)
    expires_at = models.DateTimeField(_("ends by itself"), db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("why ended"), max_length=20, blank=True)
    address = models.GenericIPAddressField(_("from"), null=True, blank=True)
    user_agent = models.CharField(_("device"), max_length=255, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [
            models.Index(fields=["user", "-created_at"], name="accounts_session_of_user"),
        ]

    def is_alive(self, now: datetime) -> bool:
        """Neither ended, nor out of time, nor older than the person's revocation mark. Needs `user` loaded."""
        mark = self.user.tokens_valid_from
        return self.ended_at is None and self.expires_at > now and (mark is None or self.created_at >= mark)


class AuthLog(models.Model):
    """The login log: every try at the door and every deed of staff on a person. Phones are masked."""

    class Event(models.TextChoices):
        CODE_REQUESTED = "code_requested", _("code asked for")
        CODE_PROVED = "code_proved", _("code accepted")
        CODE_WRONG = "code_wrong", _("wrong code")
        REGISTERED = "registered", _("registered")
        LOGGED_IN = "logged_in", _("signed in")
        LOGIN_FAILED = "login_failed", _("sign-in failed")
        LOGGED_OUT = "logged_out", _("signed out")
        TOKEN_REUSED = "token_reused", _("old refresh token used again")
        PASSWORD_CHANGED = "password_changed", _("password changed")
        MAIL_SENT = "mail_sent", _("link sent by e-mail")
        MAIL_USED = "mail_used", _("link from e-mail used")
        BLOCKED = "blocked", _("blocked")
        UNBLOCKED = "unblocked", _("unblocked")
        MERGED = "merged", _("merged")
        MERGE_UNDONE = "merge_undone", _("merge undone")
        ERASED = "erased", _("erased")
        SECOND_FACTOR = "second_factor", _("second factor")

    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    user = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="auth_log", verbose_name=_("person")
    )
    event = models.CharField(_("event"), max_length=20, choices=Event)
    is_success = models.BooleanField(_("worked"), default=True)
    product = models.CharField(_("product"), max_length=20, blank=True)
    identifier = models.CharField(_("who it claimed to be"), max_length=40, blank=True, help_text=_("Masked"))
    address = models.GenericIPAddressField(_("from"), null=True, blank=True)
    user_agent = models.CharField(_("device"), max_length=255, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("done by"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    facts = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("login log entry")
        verbose_name_plural = _("login log")
        indexes = [
            models.Index(fields=["user", "-id"], name="accounts_log_of_user"),
            models.Index(fields=["product", "event", "-id"], name="accounts_log_of_product"),
        ]


class Merge(models.Model):
    """Two rows turned out to be one human. Holds what moved, so that it can be moved back."""

    keep = models.ForeignKey(User, models.PROTECT, related_name="merges_kept", verbose_name=_("stays"))
    gone = models.ForeignKey(User, models.PROTECT, related_name="merges_gone", verbose_name=_("goes"))
    snapshot = models.JSONField(_("what moved"), default=dict)
    reason = models.CharField(_("reason"), max_length=500)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("merged by"))
    created_at = models.DateTimeField(_("merged"), default=timezone.now)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("undone by"))
    undo_reason = models.CharField(_("why undone"), max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(fields=["gone"], condition=models.Q(undone_at=None), name="accounts_gone_once"),
            models.CheckConstraint(condition=~models.Q(keep=models.F("gone")), name="accounts_merge_two_people"),
        ]


class SmsSpend(models.Model):
    """Codes texted on one UTC day to one country prefix; the prefix `*` is the whole house, where the cap is kept."""

    TOTAL = "*"

    day = models.DateField(_("day"))
    prefix = models.CharField(_("prefix"), max_length=6)
    sent_count = models.PositiveIntegerField(_("texts"), default=0)
    proved_count = models.PositiveIntegerField(_("typed in correctly"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=4, default=0)
    alarmed_at = models.DateTimeField(_("alarm"), null=True, blank=True)

    class Meta:
        ordering = ["-day", "prefix"]
        verbose_name = _("SMS spending")
        verbose_name_plural = _("SMS spending")
        constraints = [models.UniqueConstraint(fields=["day", "prefix"], name="accounts_spend_per_day")]

    @property
    def success_percent(self) -> int | None:
        """How many of the texted codes were typed in correctly; None without texts."""
        return round(100 * self.proved_count / self.sent_count) if self.sent_count else None
