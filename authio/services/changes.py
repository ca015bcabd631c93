"""Changes to a connection that is in use: edited beside itself, promoted, taken back, reset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from authio.clock import Clock, wire_time
from authio.crypto import Vault
from authio.errors import Conflict
from authio.ids import new_id
from authio.models import ConnectionState, connections
from authio.services.audit import Audit
from authio.services.connections import LIVE, Connections
from authio.services.events import Events
from authio.wire.connection import connection_event_out

_t = connections.c
_COPIED = ("name", "provider", "connector", "protocol", "connection_type")
_LOOK_AGAIN: Mapping[str, None] = {
    "refreshed_at": None,
    "refresh_due_at": None,
    "refresh_failure": None,
    "sealed_refreshed": None,
}
"""Whatever was found at the metadata address before concerned other settings."""
_DROP = sa.delete(connections).where(_t.state == ConnectionState.DRAFT.value).returning(connections)


class Changes:
    """What happens to a connection after it was saved. It serves on until the moment of each change."""

    def __init__(
        self,
        connection: sa.Connection,
        clock: Clock,
        vault: Vault,
        connections: Connections,
        events: Events,
        audit: Audit,
    ) -> None:
        self._connection, self._clock, self._vault = connection, clock, vault
        self._connections, self._events, self._audit = connections, events, audit

    # -- beside the connection -----------------------------------------------------------------------

    def edit(self, live: Any) -> Any:
        """A draft with everything that *live* has, which speaks with the addresses of *live*.

        Conflict (``draft_exists``) while the organization has another draft; one that edits *live* already
        is what is returned.
        """
        self._connections.take_turns(live.organization_id)
        draft = self._connections.draft(live.project_id, live.organization_id)
        if draft is not None:
            if draft.edits_id == live.id:
                return draft
            raise Conflict("draft_exists")
        now, draft_id = self._clock.now(), new_id("connection")
        row = self._connection.execute(
            sa.insert(connections)
            .values(
                id=draft_id,
                edits_id=live.id,
                project_id=live.project_id,
                organization_id=live.organization_id,
                state=ConnectionState.DRAFT.value,
                version=1,
                findings=live.findings,
                attribute_map=live.attribute_map,
                options=live.options,
                sealed_answers=self._resealed(live, draft_id, "answers"),
                sealed_settings=self._resealed(live, draft_id, "settings"),
                created_at=now,
                updated_at=now,
                **{name: getattr(live, name) for name in _COPIED},
            )
            .returning(connections)
        ).one()
        self._audited("connection.edit_started", live, after={"draft_id": draft_id})
        return row

    def discard(self, draft: Any) -> None:
        """Drop a draft. What it edits, if anything, stays as it is."""
        dropped = self._connection.execute(_DROP.where(_t.id == draft.id)).one_or_none()
        if dropped is not None:
            self._tell_dropped(dropped)

    def discard_edit(self, project_id: str, organization_id: str) -> None:
        """Drop the organization's draft if it edits a live connection."""
        dropped = self._connection.execute(
            _DROP.where(
                _t.project_id == project_id,
                _t.organization_id == organization_id,
                _t.edits_id.is_not(None),
            )
        ).one_or_none()
        if dropped is not None:
            self._tell_dropped(dropped)

    # -- the connection itself -----------------------------------------------------------------------

    def promote(self, draft: Any, live: Any, *, version: int, live_version: int, it_admin_email: str) -> Any:
        """Let *live* have what *draft* has, from one moment to the next; what it had before is kept.

        Its switches stay as they stand: one that was turned off while the draft lay there stays off.
        Conflict (``draft_changed``) unless both are still the versions that were compared.
        """
        spent = self._connection.execute(
            _DROP.where(_t.id == draft.id, _t.version == version, _t.edits_id == live.id)
        ).one_or_none()
        if spent is None or spent.sealed_settings is None:
            raise Conflict("draft_changed")
        row = self._changed(
            live,
            live_version,
            sealed_answers=self._resealed(spent, live.id, "answers"),
            sealed_settings=self._resealed(spent, live.id, "settings"),
            sealed_previous=self._set_aside(live),
            findings=spent.findings,
            attribute_map=spent.attribute_map,
            it_admin_email=it_admin_email,
            **_LOOK_AGAIN,
        )
        self._audited("connection.edited", row, before=_shown(live), after=_shown(row))
        return row

    def take_back(self, live: Any, *, version: int) -> Any:
        """Swap the settings of *live* with those it had before its last change. Doing it twice undoes it.

        Its switches stay as they stand.
        Conflict (``nothing_to_return_to``) if there are none, ``draft_changed`` if *live* is another version.
        """
        before = self.previous(live)
        if before is None:
            raise Conflict("nothing_to_return_to")
        row = self._changed(
            live,
            version,
            sealed_answers=self._seal(live.id, "answers", before["answers"]),
            sealed_settings=self._seal(live.id, "settings", before["settings"]),
            sealed_previous=self._set_aside(live),
            findings=before["findings"],
            attribute_map=before["attribute_map"],
            **_LOOK_AGAIN,
        )
        self._audited("connection.returned", row, before=_shown(live), after=_shown(row))
        return row

    def previous(self, live: Any) -> dict[str, Any] | None:
        """What *live* had before its last change: ``settings``, ``answers``, ``until`` when, and the like."""
        if live.sealed_previous is None:
            return None
        return dict(
            json.loads(self._vault.open(live.sealed_previous, place=("connections", live.id, "previous")))
        )

    def reset(self, live: Any, *, version: int) -> Any:
        """Switch *live* off, with ``connection.deactivated``, and drop the draft that edits it.

        Conflict (``draft_changed``) if *live* is not that version.
        """
        row = self._changed(live, version, state=ConnectionState.INACTIVE.value)
        self.discard_edit(live.project_id, live.organization_id)
        self._events.record(
            "connection.deactivated",
            connection_event_out(row, self._connections.domains(row)),
            project_id=row.project_id,
            organization_id=row.organization_id,
        )
        self._audited("connection.reset", row, before={"state": live.state}, after={"state": row.state})
        return row

    def switch(self, live: Any, switches: Mapping[str, bool]) -> Any:
        """Turn *switches* of *live* on or off; those that are not named stay as they are."""
        options = {**(live.options or {}), **switches}
        row = self._changed(live, live.version, options=options)
        self._audited("connection.options_changed", row, before=dict(live.options or {}), after=options)
        return row

    def map_attributes(self, row: Any, mapped: Mapping[str, Sequence[str]]) -> Any:
        """Fill those fields of a profile from those attributes; one without any is filled as usual."""
        kept = {**(row.attribute_map or {}), **{field: list(names) for field, names in mapped.items()}}
        kept = {field: names for field, names in kept.items() if names}
        if kept == (row.attribute_map or {}):
            return row
        changed = self._changed(row, row.version, attribute_map=kept)
        self._audited(
            "connection.attributes_mapped", changed, before=dict(row.attribute_map or {}), after=kept
        )
        return changed

    # -- inside --------------------------------------------------------------------------------------

    def _changed(self, row: Any, version: int, **values: Any) -> Any:
        """*row* with other values and the next version; Conflict unless it is that version, and as alive."""
        changed = self._connection.execute(
            sa.update(connections)
            .where(_t.id == row.id, _t.version == version, _t.state.in_((row.state, *LIVE)))
            .values(version=_t.version + 1, updated_at=self._clock.now(), **values)
            .returning(connections)
        ).one_or_none()
        if changed is None:
            raise Conflict("draft_changed")
        return changed

    def _set_aside(self, live: Any) -> bytes:
        return self._seal(
            live.id,
            "previous",
            {
                "answers": self._opened(live, "answers"),
                "settings": self._opened(live, "settings"),
                "findings": live.findings,
                "attribute_map": live.attribute_map,
                "until": wire_time(self._clock.now()),
            },
        )

    def _resealed(self, row: Any, connection_id: str, column: str) -> bytes | None:
        """A sealed column of *row* for another row: what is sealed for one cannot be opened in the other."""
        opened = self._opened(row, column)
        return None if opened is None else self._seal(connection_id, column, opened)

    def _opened(self, row: Any, column: str) -> Any:
        sealed = getattr(row, f"sealed_{column}")
        if sealed is None:
            return None
        return json.loads(self._vault.open(sealed, place=("connections", row.id, column)))

    def _seal(self, connection_id: str, column: str, value: Any) -> bytes:
        return self._vault.seal(json.dumps(value).encode(), place=("connections", connection_id, column))

    def _tell_dropped(self, draft: Any) -> None:
        self._audited(
            "connection.draft_discarded",
            draft,
            before={"provider": draft.provider, "connector": draft.connector, "edits_id": draft.edits_id},
        )

    def _audited(self, action: str, row: Any, **states: Any) -> None:
        self._audit.record(
            action,
            project_id=row.project_id,
            organization_id=row.organization_id,
            target=("connection", row.id),
            **states,
        )


def _shown(row: Any) -> dict[str, Any]:
    """What the trail tells of a row: no settings, but which version of them."""
    return {
        "version": row.version,
        "connector": row.connector,
        "attribute_map": row.attribute_map,
        "options": row.options,
        "findings": [f"{finding['level']}:{finding['code']}" for finding in row.findings],
    }
