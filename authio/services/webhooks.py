"""Webhook endpoints, and what they are owed: claim a delivery, note how a try went, when to try next."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from authio.clock import Clock
from authio.crypto import Vault, new_signing_secret
from authio.errors import Conflict, FieldError, NotFound, Unprocessable
from authio.ids import new_id
from authio.models import DeliveryState, deliveries, delivery_attempts, events, webhook_endpoints
from authio.services.audit import Audit
from authio.services.pages import Cursor, Page, page
from authio.wire.event import is_subscribable, matches

LEASE = timedelta(seconds=60)
"""How long a worker may hold a delivery: well over the ten seconds that one try can take."""
LONGEST_WAIT = timedelta(hours=4)
"""What a receiver's Retry-After can ask for at most."""
JITTER = 0.1
"""A retry comes up to this share sooner or later than its schedule says."""
KEPT_ANSWER = 1024
INTERRUPTED = "interrupted"
"""The error of an attempt whose worker has not come back to say how it went."""

_e, _d, _a = webhook_endpoints.c, deliveries.c, delivery_attempts.c
_ENABLED = sa.select(_e.id, _e.events).where(_e.project_id == sa.bindparam("project"), _e.status == "enabled")
_IS_FREE = sa.or_(_d.leased_until.is_(None), _d.leased_until <= sa.bindparam("now"))
_CLAIM = (
    sa.update(deliveries)
    .where(
        _d.id == sa.bindparam("delivery"),
        _d.state == DeliveryState.PENDING.value,
        _d.due_at <= sa.bindparam("now"),
        _IS_FREE,
    )
    .values(leased_until=sa.bindparam("until"), attempts=_d.attempts + 1)
    .returning(_d.event_id, _d.endpoint_id, _d.attempts)
)
_CONTENTS = (
    sa.select(_e.url, _e.status, _e.sealed_secret, events.c.body)
    .select_from(deliveries)
    .join(webhook_endpoints, _e.id == _d.endpoint_id)
    .join(events, events.c.id == _d.event_id)
    .where(_d.id == sa.bindparam("delivery"))
)
_ENDPOINT_OF = sa.select(_d.endpoint_id).where(_d.id == sa.bindparam("delivery"))
_INSERT_ATTEMPT = sa.insert(delivery_attempts)
_NOTE_ATTEMPT = (
    sa.update(delivery_attempts)
    .where(_a.delivery_id == sa.bindparam("delivery"), _a.number == sa.bindparam("attempt"))
    .values(
        duration_ms=sa.bindparam("duration"),
        status=sa.bindparam("answered"),
        error=sa.bindparam("failure"),
        answer=sa.bindparam("said"),
    )
)
_DUE = (
    sa.select(_d.id, _d.endpoint_id)
    .where(_d.state == DeliveryState.PENDING.value, _d.due_at <= sa.bindparam("now"), _IS_FREE)
    .order_by(_d.due_at, _d.id)
    .limit(sa.bindparam("most"))
)


@dataclass(frozen=True)
class Endpoint:
    """A webhook endpoint with its signing secret opened."""

    id: str
    project_id: str
    url: str
    status: str
    events: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Parcel:
    """A claimed delivery: everything that sending it takes, so that no transaction is open meanwhile."""

    delivery_id: str
    number: int
    event_id: str
    endpoint_id: str
    url: str
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """How one try went: an HTTP status, or the code of an error where none came."""

    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer: bytes = b""
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Webhooks:
    """The endpoints of a project, and the deliveries they are owed."""

    def __init__(
        self,
        connection: sa.Connection,
        clock: Clock,
        vault: Vault,
        audit: Audit,
        schedule: Sequence[int],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._connection, self._clock, self._vault, self._audit = connection, clock, vault, audit
        self._schedule, self._chance = tuple(schedule), chance
        self._enabled: dict[str, list[tuple[str, tuple[str, ...]]]] = {}

    # Endpoints

    def create(self, project_id: str, *, url: str, events: Sequence[str]) -> Endpoint:
        """A new endpoint with a secret of its own. *url* has been judged by the caller.

        Unprocessable ``invalid_request_parameters`` for a type that does not exist, Conflict
        ``duplicate_endpoint`` for a URL that the project has already.
        """
        now = self._clock.now()
        endpoint = Endpoint(
            id=new_id("webhook_endpoint"),
            project_id=project_id,
            url=url,
            status="enabled",
            events=_subscription(events),
            created_at=now,
            updated_at=now,
            secret=new_signing_secret(),
        )
        self._write(
            sa.insert(webhook_endpoints).values(
                id=endpoint.id,
                project_id=project_id,
                url=url,
                sealed_secret=self._vault.seal(endpoint.secret.encode(), place=_place(endpoint.id)),
                status=endpoint.status,
                events=list(endpoint.events),
                created_at=now,
                updated_at=now,
            )
        )
        self._audited("webhook_endpoint.created", endpoint, after=_shown(endpoint))
        return endpoint

    def get(self, project_id: str, endpoint_id: str) -> Endpoint:
        """One endpoint; NotFound (``webhook_endpoint_not_found``), also for another project's."""
        return self._one(_e.project_id == project_id, _e.id == endpoint_id)

    def by_url(self, project_id: str, url: str) -> Endpoint:
        """The project's endpoint at *url*; NotFound."""
        return self._one(_e.project_id == project_id, _e.url == url)

    def page(self, project_id: str, cursor: Cursor) -> Page:
        """One page of the project's endpoints."""
        found = page(
            self._connection, sa.select(webhook_endpoints).where(_e.project_id == project_id), _e.id, cursor
        )
        return Page([self._opened(row) for row in found.rows], found.has_before, found.has_after)

    def update(self, endpoint: Endpoint, changes: Mapping[str, Any]) -> Endpoint:
        """Change what *changes* names of ``url``, ``events`` and ``status``; errors as :meth:`create`.

        What a disabled endpoint is owed is not sent when its time comes; it ends as dead.
        """
        values = dict(changes)
        if "events" in values:
            values["events"] = list(_subscription(values["events"]))
        self._write(
            sa.update(webhook_endpoints)
            .where(_e.project_id == endpoint.project_id, _e.id == endpoint.id)
            .values(**values, updated_at=self._clock.now())
        )
        changed = self.get(endpoint.project_id, endpoint.id)
        self._audited("webhook_endpoint.updated", changed, before=_shown(endpoint), after=_shown(changed))
        return changed

    def delete(self, endpoint: Endpoint) -> None:
        """Delete the endpoint, its secret and all it is owed."""
        self._connection.execute(
            sa.delete(webhook_endpoints).where(_e.project_id == endpoint.project_id, _e.id == endpoint.id)
        )
        self._enabled.clear()
        self._audited("webhook_endpoint.deleted", endpoint, before=_shown(endpoint))

    def subscribed(self, project_id: str, event_type: str) -> Sequence[str]:
        """The ids of the enabled endpoints that want *event_type*. One statement per transaction."""
        if project_id not in self._enabled:
            found = self._connection.execute(_ENABLED, {"project": project_id})
            self._enabled[project_id] = [(row.id, tuple(row.events)) for row in found]
        return [
            endpoint_id
            for endpoint_id, patterns in self._enabled[project_id]
            if any(matches(pattern, event_type) for pattern in patterns)
        ]

    # Deliveries

    def claim(self, delivery_id: str) -> Parcel | None:
        """Take a delivery that is due, for as long as a lease lasts; None if there is nothing to send.

        Of any number of workers that claim one delivery at once, one gets it. The attempt is a row from
        here on, so that a try whose worker dies can be told from none.
        """
        now = self._clock.now()
        claimed = self._connection.execute(
            _CLAIM, {"delivery": delivery_id, "now": now, "until": now + LEASE}
        ).one_or_none()
        if claimed is None:
            return None
        contents = self._connection.execute(_CONTENTS, {"delivery": delivery_id}).one()
        exhausted = claimed.attempts > len(self._schedule) + 1
        if contents.status != "enabled" or exhausted:
            self._set(
                delivery_id, state=DeliveryState.DEAD.value, attempts=claimed.attempts - 1, finished_at=now
            )
            return None
        self._connection.execute(
            _INSERT_ATTEMPT,
            {
                "id": new_id("delivery_attempt"),
                "delivery_id": delivery_id,
                "number": claimed.attempts,
                "started_at": now,
                "duration_ms": 0,
                "status": None,
                "error": INTERRUPTED,
                "answer": b"",
            },
        )
        return Parcel(
            delivery_id=delivery_id,
            number=claimed.attempts,
            event_id=claimed.event_id,
            endpoint_id=claimed.endpoint_id,
            url=contents.url,
            body=contents.body,
            secrets=(self._open_secret(claimed.endpoint_id, contents.sealed_secret),),
        )

    def note(self, parcel: Parcel, outcome: Outcome) -> timedelta | None:
        """Write down how a try went, and how long it is until the next one; None if there is none.

        A success counts whoever reports it. A failure counts only from the worker whose claim was the
        last: an earlier one has lost its lease, and the delivery is somebody else's.
        """
        self._connection.execute(
            _NOTE_ATTEMPT,
            {
                "delivery": parcel.delivery_id,
                "attempt": parcel.number,
                "duration": outcome.duration_ms,
                "answered": outcome.status,
                "failure": outcome.error,
                "said": outcome.answer[:KEPT_ANSWER],
            },
        )
        now = self._clock.now()
        if outcome.is_success:
            self._set(parcel.delivery_id, state=DeliveryState.DELIVERED.value, finished_at=now)
            return None
        if outcome.status == 410:
            self._disable(parcel.endpoint_id)
        wait = None if outcome.status == 410 else self._wait(parcel.number, outcome)
        if wait is None:
            self._set(
                parcel.delivery_id, number=parcel.number, state=DeliveryState.DEAD.value, finished_at=now
            )
            return None
        mine = self._set(parcel.delivery_id, number=parcel.number, due_at=now + wait)
        return wait if mine else None

    def endpoint_of(self, delivery_id: str) -> str | None:
        """The id of the endpoint a delivery goes to; None if the delivery is gone."""
        found: str | None = self._connection.execute(
            _ENDPOINT_OF, {"delivery": delivery_id}
        ).scalar_one_or_none()
        return found

    def due(self, limit: int) -> Mapping[str, Sequence[str]]:
        """Deliveries whose time has come and that nobody holds, the longest due first, by endpoint."""
        found: dict[str, list[str]] = {}
        for row in self._connection.execute(_DUE, {"now": self._clock.now(), "most": limit}):
            found.setdefault(row.endpoint_id, []).append(row.id)
        return found

    def _wait(self, number: int, outcome: Outcome) -> timedelta | None:
        if number > len(self._schedule):
            return None
        spread = 1 - JITTER + 2 * JITTER * self._chance()
        wait = timedelta(seconds=self._schedule[number - 1] * spread)
        if outcome.retry_after is not None:
            wait = max(wait, min(outcome.retry_after, LONGEST_WAIT))
        return wait

    def _set(self, delivery_id: str, *, number: int | None = None, **values: Any) -> bool:
        """Change a pending delivery and let go of it; with *number*, only while that is its last attempt."""
        where = [_d.id == delivery_id, _d.state == DeliveryState.PENDING.value]
        if number is not None:
            where.append(_d.attempts == number)
        done = self._connection.execute(
            sa.update(deliveries).where(*where).values(leased_until=None, **values)
        )
        return done.rowcount == 1

    def _disable(self, endpoint_id: str) -> None:
        row = self._connection.execute(
            sa.update(webhook_endpoints)
            .where(_e.id == endpoint_id, _e.status == "enabled")
            .values(status="disabled", updated_at=self._clock.now())
            .returning(webhook_endpoints)
        ).one_or_none()
        if row is not None:
            self._audited(
                "webhook_endpoint.disabled",
                self._opened(row),
                before={"status": "enabled"},
                after={"status": "disabled", "reason": "answered_410"},
            )

    def _write(self, statement: Any) -> None:
        self._enabled.clear()
        try:
            # The savepoint keeps the transaction usable on PostgreSQL when the URL is a duplicate.
            with self._connection.begin_nested():
                self._connection.execute(statement)
        except exc.IntegrityError:
            raise Conflict("duplicate_endpoint") from None

    def _one(self, *where: Any) -> Endpoint:
        row = self._connection.execute(sa.select(webhook_endpoints).where(*where)).one_or_none()
        if row is None:
            raise NotFound("webhook_endpoint_not_found")
        return self._opened(row)

    def _opened(self, row: Any) -> Endpoint:
        return Endpoint(
            id=row.id,
            project_id=row.project_id,
            url=row.url,
            status=row.status,
            events=tuple(row.events),
            created_at=row.created_at,
            updated_at=row.updated_at,
            secret=self._open_secret(row.id, row.sealed_secret),
        )

    def _open_secret(self, endpoint_id: str, sealed: bytes) -> str:
        return self._vault.open(sealed, place=_place(endpoint_id)).decode()

    def _audited(self, action: str, endpoint: Endpoint, **states: Any) -> None:
        self._audit.record(
            action, project_id=endpoint.project_id, target=("webhook_endpoint", endpoint.id), **states
        )


def _subscription(events: Sequence[str]) -> tuple[str, ...]:
    """*events* without repetitions, all of them types or patterns that exist."""
    unknown = [event for event in events if not is_subscribable(event)]
    if unknown or not events:
        raise Unprocessable(
            "invalid_request_parameters",
            errors=[FieldError("events", "unknown_event_type", "There is no event of this type.")],
        )
    return tuple(dict.fromkeys(events))


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    """What audit rows tell of an endpoint: all but its secret."""
    return {"url": endpoint.url, "status": endpoint.status, "events": list(endpoint.events)}


def _place(endpoint_id: str) -> tuple[str, str, str]:
    return ("webhook_endpoints", endpoint_id, "sealed_secret")
