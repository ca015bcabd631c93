"""What a process keeps between requests so as not to work it out again: opened settings, keys as objects.

Everything is found by the very bytes it was made from, so that nothing here can be out of date. Client
secrets are not kept.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from functools import lru_cache
from threading import Lock
from typing import Any

from authio.crypto import Vault
from authio.protocols.oidc import OidcSettings
from authio.protocols.oidc_flow import Keys as KeySets
from authio.protocols.saml import SamlSettings
from authio.protocols.saml_response import Keys

MOST = 2048
"""Connections, and keys, that are kept of each kind: the ones used last."""


class Known:
    """One for the life of a process. Safe to share between threads."""

    def __init__(self, vault: Vault) -> None:
        self.keys = Keys(limit=MOST)
        self._vault = vault
        self._opened = lru_cache(maxsize=MOST)(self._open)
        self._key_sets: OrderedDict[str, KeySets] = OrderedDict()
        self._lock = Lock()

    def settings(self, connection: Any) -> SamlSettings | OidcSettings | None:
        """The settings of a connection's row, as the value its protocol knows; None where it has none."""
        if connection.sealed_settings is None:
            return None
        return self._opened(connection.sealed_settings, connection.id, connection.protocol)

    def key_sets(self, connection_id: str) -> KeySets:
        """Where the key sets of one connection's issuer are kept: never shared with another connection."""
        with self._lock:
            kept = self._key_sets.setdefault(connection_id, {})
            self._key_sets.move_to_end(connection_id)
            while len(self._key_sets) > MOST:
                self._key_sets.popitem(last=False)
        return kept

    def _open(self, sealed: bytes, connection_id: str, protocol: str) -> SamlSettings | OidcSettings:
        opened = json.loads(self._vault.open(sealed, place=("connections", connection_id, "settings")))
        return SamlSettings.from_json(opened) if protocol == "saml" else OidcSettings.from_json(opened)
