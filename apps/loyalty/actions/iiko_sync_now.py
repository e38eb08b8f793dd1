"""A manager wants a guest read from iiko at once (contract loyalty 1.4, row 33)."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from apps.integrations.ports import port
from apps.loyalty import access, errors
from apps.loyalty.actions import iiko_jobs, iiko_sync
from apps.loyalty.actions.iiko_sync import Report
from apps.loyalty.models import Client, IikoJob

PATIENCE_SECONDS = 8.0
"""How long the manager waits for jobs of the same guest that are at work."""

LOOK_SECONDS = 0.1


def sync(*, by: Any, client_id: int) -> dict[str, Any]:
    """Read the guest now, in the queue's order: older jobs of the guest go first. What went wrong is in `error`.

    Raises `ManagersOnly`, `ClientNotFound`.
    """
    access.ensure_manager(by, "loyalty.change_client")
    client = Client.objects.living().filter(pk=client_id).first()
    if client is None:
        raise errors.ClientNotFound()
    is_open = port("loyalty_system").is_configured()
    return _told(client, _in_turn(by, client) if is_open else Report(error="service_error"))


def _in_turn(by: Any, client: Client) -> Report:
    """Do the guest's older jobs and then ours; another worker at one of them is waited for, but not for long.

    Whoever may have a guest read may let the paused reading go on, without a right over the whole queue.
    """
    ours = iiko_jobs.ask(by=by, client_id=client.pk, operation=IikoJob.Operation.SYNC_USER)
    if ours.state == IikoJob.State.PAUSED:
        with suppress(errors.JobNotPaused):  # somebody else has just resumed it
            iiko_jobs.resume(by=None, job_id=ours.pk)
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        job = iiko_jobs.claim(phone=client.phone)
        if job is None:
            time.sleep(LOOK_SECONDS)
        elif job.pk == ours.pk:
            return _read(client, job)
        elif not iiko_jobs.attempt(job):
            return Report(error="service_error")
    return Report(error="admin_sync_lock_busy")


def _read(client: Client, job: IikoJob) -> Report:
    """One reading that wants a balance; the job is closed, put off or counted like any other."""
    made = Report(error="service_error")

    def deed(job: IikoJob) -> str:
        nonlocal made
        try:
            made = iiko_sync.read_guest(client, creates=job.payload.get("create") is True, is_strict=True)
        except iiko_sync.GuestNotShown as problem:
            made = Report(error=problem.reason)
            raise
        return made.error or "ok"

    iiko_jobs.attempt(job, deed=deed)
    return made


def _told(client: Client, report: Report) -> dict[str, Any]:
    client.refresh_from_db(fields=["phone", "iiko_customer_id", "iiko_wallet_id"])
    return {
        "success": not report.error,
        "updated": bool(report.changed_fields),
        "changed_fields": report.changed_fields,
        "warnings": report.warnings,
        "error": report.error or None,
        "correlation_id": str(uuid4()),
        "operations": report.operations,
        "user_id": client.pk,
        "phone": client.phone,
        "iiko_customer_id": client.iiko_customer_id,
        "iiko_wallet_id": client.iiko_wallet_id,
    }
