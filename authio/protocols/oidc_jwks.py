"""A provider's published keys: read once, chosen by strict rules, re-read within limits."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from authio.protocols.oidc_jose import CURVES, BadKey, public_key, same_algorithm
from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.strict_json import NotJson, read_json

MAX_BYTES = 262_144
MAX_KEYS = 100
WEAKEST_RSA = 2048
STRONGEST_RSA = 8192
"""Bits. Longer keys make every verification slow and nobody safer."""

FRESH = timedelta(hours=1)
"""How long a set is used without asking again: a key that was withdrawn is gone by then."""
USABLE = timedelta(hours=24)
"""How long a set goes on being used while its address does not answer."""
PAUSE = timedelta(seconds=30)
"""Between two attempts to read one set, whatever the reason."""
PATIENCE = timedelta(minutes=5)
"""How long a key that was not in the set is not asked for again."""
MAX_MISSED = 32

_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,1400}")
_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}
_LARGEST_EXPONENT = 1 << 32


@dataclass(frozen=True)
class Jwk:
    """One public key that may verify signatures. ``algorithm`` is empty where the set names none."""

    kty: str
    kid: str | None
    algorithm: str
    members: Mapping[str, str]

    def fits(self, algorithm: str) -> bool:
        """Whether a signature of this kind can be by this key."""
        kty, curve = CURVES[algorithm]
        meant = not self.algorithm or same_algorithm(self.algorithm, algorithm)
        return meant and self.kty == kty and self.members.get("crv", "") == curve

    @cached_property
    def bits(self) -> int:
        """Length of the RSA modulus; 0 for a key on a curve."""
        return _number(self.members["n"]).bit_length() if self.kty == "RSA" else 0

    @cached_property
    def key(self) -> Any:
        """The key ready for use; :class:`OidcRefused` if its numbers make none."""
        if self.kty == "RSA":
            modulus, exponent = _number(self.members["n"]), _number(self.members["e"])
            if self.bits < WEAKEST_RSA:
                raise OidcRefused("oidc_jwks", "weak_key", found=self.bits, expected=WEAKEST_RSA)
            # Even or tiny exponents are the library's to refuse.
            if self.bits > STRONGEST_RSA or modulus % 2 == 0 or exponent >= _LARGEST_EXPONENT:
                raise OidcRefused("oidc_jwks", "bad_key", found=self.kid or "")
        try:
            return public_key(self.members)
        except BadKey:
            raise OidcRefused("oidc_jwks", "bad_key", found=self.kid or "") from None


@dataclass(frozen=True)
class Jwks:
    """A provider's keys as they were at ``read_at``, and what has been asked of them since.

    A value: whoever keeps it replaces it by a set that was read again, or by what :meth:`without` gives.
    """

    keys: tuple[Jwk, ...]
    read_at: datetime
    asked_at: datetime
    missed: Mapping[str | None, datetime] = field(default_factory=dict)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to ask again, for no other reason than the time."""
        return now - self.read_at >= FRESH and now - self.asked_at >= PAUSE

    def is_usable(self, now: datetime) -> bool:
        """Whether it may be used although it could not be read again."""
        return now - self.read_at < USABLE

    def is_worth_asking(self, kid: str | None, now: datetime) -> bool:
        """Whether a key that is not here may be looked for: once per key, and seldom whatever the key."""
        missed = self.missed.get(kid)
        return now - self.asked_at >= PAUSE and (missed is None or now - missed >= PATIENCE)

    def without(self, kid: str | None, now: datetime) -> Jwks:
        """The same, with a note that *kid* was looked for in vain."""
        recent = sorted(self.missed.items(), key=lambda item: item[1])[-(MAX_MISSED - 1) :]
        return replace(self, missed=dict(recent) | {kid: now})

    def has(self, kid: str | None, algorithm: str) -> bool:
        """Whether any key fits a signature that names *kid*."""
        return bool(self._fitting(kid, algorithm))

    def choose(self, kid: str | None, algorithm: str) -> Jwk:
        """The one key that a signature names, or :class:`OidcRefused`.

        A token without a key id is only taken where a single key fits.
        """
        fitting = self._fitting(kid, algorithm)
        if not fitting:
            raise OidcRefused("oidc_jwks", "unknown_key", found=kid or "", field="kid")
        if len(fitting) > 1:
            raise OidcRefused("oidc_jwks", "ambiguous_key", found=kid or "", field="kid")
        return fitting[0]

    def _fitting(self, kid: str | None, algorithm: str) -> list[Jwk]:
        named = (key for key in self.keys if kid is None or key.kid == kid)
        # Some providers list one key several times.
        return list({tuple(key.members.items()): key for key in named if key.fits(algorithm)}.values())


def read_jwks(document: bytes, *, now: datetime) -> Jwks:
    """The keys of a JWK set that can verify signatures; :class:`OidcRefused` if it is none.

    Keys of other kinds, for other uses, or with private members are passed over (RFC 7517, section 5).
    """
    if len(document) > MAX_BYTES:
        raise OidcRefused("oidc_jwks", "malformed")
    try:
        found = read_json(document)
    except NotJson:
        raise OidcRefused("oidc_jwks", "malformed") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise OidcRefused("oidc_jwks", "malformed")
    keys = tuple(key for entry in listed if (key := _key(entry)) is not None)
    return Jwks(keys, read_at=now, asked_at=now)


def _key(entry: object) -> Jwk | None:
    if not isinstance(entry, dict) or entry.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth"}:
        return None
    kty, kid, algorithm, curve = (entry.get(name) for name in ("kty", "kid", "alg", "crv"))
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(kty, str) or kty not in _MEMBERS or (kid is not None and not isinstance(kid, str)):
        return None
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    if algorithm is not None and (not isinstance(algorithm, str) or algorithm not in CURVES):
        return None
    members = {name: entry.get(name) for name in _MEMBERS[kty]}
    if not all(isinstance(text, str) and _NUMBER.fullmatch(text) for text in members.values()):
        return None
    if kty != "RSA":
        if (kty, curve) not in CURVES.values():
            return None
        members["crv"] = curve
    return Jwk(kty, kid, algorithm or "", {"kty": kty, **{k: str(v) for k, v in members.items()}})


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
    except (ValueError, binascii.Error):
        raise OidcRefused("oidc_jwks", "bad_key") from None
