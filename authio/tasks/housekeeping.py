"""Done at regular times: find work that no bell rang for, mark what has lapsed, throw away the old."""

from __future__ import annotations

from authio.tasks.environment import Environment
from authio.tasks.webhooks import deliver_webhook

SWEEP = 500
"""Deliveries that one sweep rings for. While as many rings are waiting, workers have enough to do."""
EXPIRING = 100
"""Rows that one transaction marks as lapsed."""


def ring_again(environment: Environment) -> None:
    """Ring for every delivery that is due and that nobody holds.

    That is what a lost ring, an emptied queue, a killed worker or a passed retry time leaves behind. If
    the queue is away, the deliveries are made here and now.
    """
    with environment.begin(write=False) as services:
        bell = services.parts.bell
        due = {} if bell.waiting() >= SWEEP else services.webhooks.due(SWEEP)
    for delivery_ids in due.values():
        if not bell.ring("deliver_webhook", *delivery_ids):
            deliver_webhook(environment, *delivery_ids)


def expire_links(environment: Environment) -> None:
    """Mark the open links whose time has passed, and record that they have expired."""
    expired = EXPIRING
    while expired == EXPIRING:
        with environment.begin() as services:
            expired = services.setup_links.expire_due(EXPIRING)


def time_out_sign_ins(environment: Environment) -> None:
    """Mark the sign-ins from which nobody came back, and record that."""
    overdue = EXPIRING
    while overdue == EXPIRING:
        with environment.begin() as services:
            overdue = services.sign_ins.time_out(EXPIRING)


def prune(environment: Environment) -> None:
    """Forget answers that no retry asks for any more, their secrets first, and what else has had its time."""
    with environment.begin() as services:
        services.idempotency.forget()
        services.portal_sessions.forget()
        services.grants.forget()
        services.admissions.forget()
        services.attempts.forget()
