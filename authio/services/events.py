"""The event log: what happened, in order, as bytes; and one delivery for each endpoint that asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock
from authio.db import Unit, after_commit
from authio.errors import NotFound
from authio.ids import new_id
from authio.models import DeliveryState, deliveries, events, organizations, projects
from authio.queue import Bell
from authio.services.actor import Actor, ActorType
from authio.services.pages import Cursor, Page, page
from authio.services.webhooks import Webhooks
from authio.wire.event import CATALOGUE, event_bytes, event_out, matches

_INSERT_EVENTS = sa.insert(events)
_INSERT_DELIVERIES = sa.insert(deliveries)
_COUNT_UP_ORGANIZATION = (
    sa.update(organizations)
    .where(
        organizations.c.id == sa.bindparam("organization"),
        organizations.c.project_id == sa.bindparam("project"),
    )
    .values(event_sequence=organizations.c.event_sequence + sa.bindparam("count"))
    .returning(organizations.c.event_sequence)
)
_COUNT_UP_PROJECT = (
    sa.update(projects)
    .where(projects.c.id == sa.bindparam("project"))
    .values(event_sequence=projects.c.event_sequence + sa.bindparam("count"))
    .returning(projects.c.event_sequence)
)
_SOURCES = {
    ActorType.API_KEY: "api",
    ActorType.PORTAL: "admin_portal",
    ActorType.OPERATOR: "dashboard",
    ActorType.SYSTEM: "system",
}


class Events:
    """Records events in the transaction of the act, and lists them."""

    def __init__(
        self,
        session: Unit,
        connection: sa.Connection,
        clock: Clock,
        bell: Bell,
        webhooks: Webhooks,
        actor: Actor,
    ) -> None:
        self._session, self._connection, self._clock = session, connection, clock
        self._bell, self._webhooks, self._actor = bell, webhooks, actor
        # Deliveries of this transaction by endpoint, rung for once it is committed.
        self._owed: dict[str, list[str]] = {}

    def record(
        self, event_type: str, data: Mapping[str, Any], *, project_id: str, organization_id: str | None = None
    ) -> str:
        """Remember that something happened and see that everyone who asked hears of it; the event's id."""
        return self.record_all([(event_type, data)], project_id=project_id, organization_id=organization_id)[
            0
        ]

    def record_all(
        self,
        happened: Sequence[tuple[str, Mapping[str, Any]]],
        *,
        project_id: str,
        organization_id: str | None = None,
    ) -> list[str]:
        """As :meth:`record` for several, in their order, with as few statements as for one; their ids.

        Until the transaction ends nobody else records events of this organization: that keeps
        ``sequence`` free of gaps. The organization has to exist, so its deletion is recorded before it
        is done. ValueError for a type that is not in the catalogue.
        """
        unknown = [name for name, _ in happened if name not in CATALOGUE]
        if unknown:
            raise ValueError(f"not in the event catalogue: {', '.join(unknown)}")
        if not happened:
            return []
        last = self._count_up(len(happened), project_id, organization_id)
        now = self._clock.now()
        actor = self._actor_out()
        # Ids of one millisecond are in no order of their own.
        ids = sorted(new_id("event") for _ in happened)
        rows = []
        for index, ((event_type, data), event_id) in enumerate(zip(happened, ids, strict=True), start=1):
            sequence = last - len(happened) + index
            envelope = event_out(
                event_id=event_id,
                event_type=event_type,
                created_at=now,
                project_id=project_id,
                organization_id=organization_id,
                sequence=sequence,
                data=data,
                actor=actor,
            )
            rows.append(
                {
                    "id": event_id,
                    "project_id": project_id,
                    "organization_id": organization_id,
                    "sequence": sequence,
                    "type": event_type,
                    "body": event_bytes(envelope),
                    "created_at": now,
                }
            )
        self._connection.execute(_INSERT_EVENTS, rows)
        self._owe(project_id, rows, now)
        return ids

    def page(
        self,
        project_id: str,
        *,
        types: Sequence[str],
        limit: int,
        after: str | None = None,
        organization_id: str | None = None,
        range_start: datetime | None = None,
        range_end: datetime | None = None,
    ) -> Page:
        """Events of *types* (names, or patterns as in a subscription), oldest first, from *after* on.

        *range_start* is included, *range_end* is not. ``body`` of a row is the event as it was sent.
        """
        wanted = [name for name in CATALOGUE if any(matches(pattern, name) for pattern in types)]
        statement = sa.select(events).where(events.c.project_id == project_id, events.c.type.in_(wanted))
        if organization_id is not None:
            statement = statement.where(events.c.organization_id == organization_id)
        if range_start is not None:
            statement = statement.where(events.c.created_at >= range_start)
        if range_end is not None:
            statement = statement.where(events.c.created_at < range_end)
        return page(self._connection, statement, events.c.id, Cursor(limit=limit, order="asc", after=after))

    def get(self, project_id: str, event_id: str) -> Any:
        """One event; NotFound (``event_not_found``)."""
        row = self._connection.execute(
            sa.select(events).where(events.c.project_id == project_id, events.c.id == event_id)
        ).one_or_none()
        if row is None:
            raise NotFound("event_not_found")
        return row

    def _count_up(self, count: int, project_id: str, organization_id: str | None) -> int:
        """The number of the last of *count* new events. The row's lock is held until the transaction ends."""
        values = {"project": project_id, "count": count}
        if organization_id is None:
            last = self._connection.execute(_COUNT_UP_PROJECT, values).scalar_one_or_none()
        else:
            values["organization"] = organization_id
            last = self._connection.execute(_COUNT_UP_ORGANIZATION, values).scalar_one_or_none()
        if last is None:
            raise NotFound("project_not_found" if organization_id is None else "organization_not_found")
        return int(last)

    def _actor_out(self) -> dict[str, Any] | None:
        source = _SOURCES.get(self._actor.type)
        if source is None:
            return None
        return {"id": self._actor.id or source, "source": source, "name": self._actor.name}

    def _owe(self, project_id: str, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
        owed = [
            (row["id"], endpoint_id)
            for row in rows
            for endpoint_id in self._webhooks.subscribed(project_id, row["type"])
        ]
        if not owed:
            return
        ids = sorted(new_id("delivery") for _ in owed)
        self._connection.execute(
            _INSERT_DELIVERIES,
            [
                {
                    "id": delivery_id,
                    "project_id": project_id,
                    "event_id": event_id,
                    "endpoint_id": endpoint_id,
                    "state": DeliveryState.PENDING.value,
                    "attempts": 0,
                    "due_at": now,
                    "leased_until": None,
                    "created_at": now,
                    "finished_at": None,
                }
                for delivery_id, (event_id, endpoint_id) in zip(ids, owed, strict=True)
            ],
        )
        if not self._owed:
            after_commit(self._session, self._ring)
        for delivery_id, (_, endpoint_id) in zip(ids, owed, strict=True):
            self._owed.setdefault(endpoint_id, []).append(delivery_id)

    def _ring(self) -> None:
        # What one endpoint is owed by one transaction goes to one worker, so that it arrives in order.
        owed, self._owed = self._owed, {}
        for delivery_ids in owed.values():
            self._bell.ring("deliver_webhook", *delivery_ids)
