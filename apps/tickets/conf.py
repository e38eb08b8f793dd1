"""Figures of the neighbourhood issues that an operator may change (contract tickets 3 and 5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.core import env

PRODUCT = "tickets"
"""Audience of tokens, product of codes and messages."""

CITY = "Istanbul"
"""Where a ticket or address is when nobody says so."""


@dataclass(frozen=True)
class Tickets:
    """Settings of the product; `settings.TICKETS` holds one."""

    # ── People, life cycle, teams ───────────────────────────────────────────────────────────────────────────────────
    jwt_secret_key: str = field(repr=False)
    """Signs tokens, so that clients can mint their own for tests; empty: the house's key."""
    access_minutes: int
    """Life of an access token."""
    refresh_days: int
    """Life of a refresh token."""
    otp_minutes: int
    """Life of a one-time code."""
    otp_length: int
    """Digits of a one-time code; the request shape of the contract takes 6."""
    otp_limit: int
    """Codes per phone in one window; 0 is no limit. The windows are the contract's (300 s, 3600 s for letters)."""
    otp_tries_limit: int
    """Codes typed in per address in 300 s."""
    login_limit: int
    """Sign-in tries per e-mail in 300 s; successes count too."""
    register_limit: int
    """Registrations per phone in 300 s."""
    forgot_limit: int
    """Letters for a forgotten password per e-mail in an hour."""
    resend_limit: int
    """Repeated verification letters per e-mail in an hour."""
    link_tries_limit: int
    """Links and refresh tokens tried per address in 300 s."""
    verification_hours: int
    """Life of links that prove an address or invite."""
    app_url: str
    """The front end's address; links in letters begin with it."""
    brand: str
    """First word of text messages."""
    language: str
    """Language of people whose browser names none of ours: ru, uz, tr or en."""
    addresses_per_member: int
    """Saved addresses of one member."""
    feedback_edit_hours: int
    """How long the author may change a feedback."""

    # ── Geo, photos, analytics, clocks, Open311 ─────────────────────────────────────────────────────────────────────
    photo_max_mb: int
    """Largest picture file, MB."""
    photos_per_type: int
    """Pictures of one type (REPORT, PROOF) on one ticket."""
    direct_upload_minutes: int
    """How long a form for an upload straight into the bucket can be used."""
    direct_uploads_per_hour: int
    """Forms per member and hour; 0 is no limit."""
    first_response_minutes: int
    """Time to the first answer where no promise of a category or team says otherwise."""
    resolution_minutes: int
    """Time to the resolution where no promise of a category or team says otherwise."""
    figures_seconds: int
    """How long analytics and heat maps are served from the cache; 0 is not at all."""
    figures_patience: int
    """A figure that took long to count is shown so many times as long whatever changes; 0: never."""
    open311_per_minute: int
    """Reports per Open311 key and minute; 0 is no limit."""
    open311_sender_days: int
    """How long we keep what a sender told Open311 of himself, days; 0 is for good."""
    open311_is_production: bool
    """What the discovery document calls this endpoint: production or test."""
    open311_jurisdiction: str
    """The only jurisdiction_id that is served; empty: it is not looked at."""
    open311_contact: str
    """Whom programmers write to about Open311."""
    sample_tickets: int
    """Tickets of the sample city that `manage.py seed` plants."""


def load() -> Tickets:
    """Read the environment; `TICKETS_<NAME>` goes before `<NAME>`. Raises `environs.EnvError` for a malformed value."""
    read = env.for_product("TICKETS")
    return Tickets(
        jwt_secret_key=read.secret("JWT_SECRET_KEY"),
        access_minutes=read.integer("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", 15),
        refresh_days=read.integer("JWT_REFRESH_TOKEN_EXPIRE_DAYS", 7),
        otp_minutes=read.integer("OTP_EXPIRE_MINUTES", 5),
        otp_length=read.integer("OTP_LENGTH", 6),
        otp_limit=env.integer("TICKETS_OTP_LIMIT", 5),
        otp_tries_limit=env.integer("TICKETS_OTP_TRIES_LIMIT", 60),
        login_limit=env.integer("TICKETS_LOGIN_LIMIT", 10),
        register_limit=env.integer("TICKETS_REGISTER_LIMIT", 3),
        forgot_limit=env.integer("TICKETS_FORGOT_LIMIT", 3),
        resend_limit=env.integer("TICKETS_RESEND_LIMIT", 20),
        link_tries_limit=env.integer("TICKETS_LINK_TRIES_LIMIT", 120),
        verification_hours=read.integer("EMAIL_VERIFICATION_EXPIRE_HOURS", 24),
        app_url=read.text("NEXT_PUBLIC_APP_BASE_URL", "https://mahallem.biz.tr").rstrip("/"),
        brand=env.text("TICKETS_BRAND", "Mahallem"),
        language=env.text("TICKETS_LANGUAGE", "en"),
        addresses_per_member=env.integer("TICKETS_ADDRESSES_PER_MEMBER", 10),
        feedback_edit_hours=env.integer("TICKETS_FEEDBACK_EDIT_HOURS", 24),
        photo_max_mb=read.integer("PHOTO_MAX_MB", 10),
        photos_per_type=read.integer("PHOTOS_PER_TYPE", 5),
        direct_upload_minutes=read.integer("DIRECT_UPLOAD_MINUTES", 15),
        direct_uploads_per_hour=read.integer("DIRECT_UPLOADS_PER_HOUR", 60),
        first_response_minutes=read.integer("SLA_FIRST_RESPONSE_MINUTES", 24 * 60),
        resolution_minutes=read.integer("SLA_RESOLUTION_MINUTES", 7 * 24 * 60),
        figures_seconds=read.integer("FIGURES_CACHE_SECONDS", 60),
        figures_patience=read.integer("FIGURES_PATIENCE", 20),
        open311_per_minute=read.integer("OPEN311_PER_MINUTE", 60),
        open311_sender_days=read.integer("OPEN311_SENDER_DAYS", 90),
        open311_is_production=read.flag("OPEN311_IS_PRODUCTION", False),
        open311_jurisdiction=read.text("OPEN311_JURISDICTION"),
        open311_contact=read.text("OPEN311_CONTACT", "Mahalla, open311@localhost"),
        sample_tickets=env.integer("TICKETS_SAMPLE_TICKETS", 5000),
    )
