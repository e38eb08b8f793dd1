"""Figures of payments that an operator may change; how to reach the gateways stands in `integrations.conf`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.core import env


@dataclass(frozen=True)
class Payments:
    """Settings of the app; `settings.PAYMENTS` holds one."""

    methods: tuple[str, ...]
    """Ways to pay that are offered, out of octo, payme, click, cash."""
    octo_minutes: int
    """How long a card page of OCTO can be paid (its `ttl`)."""
    link_minutes: int
    """How long a link of Payme or Click can be paid."""
    hold_minutes: int
    """How long a two-stage payment stays held at the gateway before it goes back by itself."""
    octo_auto_capture: bool
    """One-stage unless the product asks for two stages."""
    octo_usd_uzs_rate: Decimal
    """Soum per dollar: the smallest refund of OCTO is one dollar. 0 leaves the judgement to OCTO."""
    reconcile_after_seconds: int
    """Age at which an open payment is asked about for the first time, and the pause between questions."""
    payme_return_allowed: bool
    """Payme may take a performed payment back (its cabinet's refund); off answers -31007."""


def load() -> Payments:
    """Read the environment. Raises `environs.EnvError` for a malformed value."""
    return Payments(
        methods=env.words("PAYMENT_METHODS", ("octo", "payme", "click", "cash")),
        octo_minutes=env.integer("OCTO_TTL_MINUTES", 15),
        link_minutes=env.integer("PAYMENT_LINK_MINUTES", 60),
        hold_minutes=env.integer("OCTO_HOLD_MINUTES", 30),
        octo_auto_capture=env.flag("OCTO_AUTO_CAPTURE", True),
        octo_usd_uzs_rate=env.decimal("OCTO_USD_UZS_RATE", "0"),
        reconcile_after_seconds=env.integer("PAYMENT_RECONCILE_SECONDS", 120),
        payme_return_allowed=env.flag("PAYME_RETURN_ALLOWED", True),
    )
