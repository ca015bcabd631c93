"""From claims to a profile: names looked up in the attribute table, values read as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.profile import Profile, Table, Unclear, read_profile

_MECHANICS: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
"""Claims about the exchange and not about anybody."""
_ENVELOPE: Final = frozenset({"iss", "aud", "azp", "exp", "iat", "nbf", "jti", "auth_time"})
"""Claims about the token: kept with the rest, but nothing of a profile is looked for in them."""


def is_complete(claims: Mapping[str, Any], table: Table) -> bool:
    """Whether every field that the table can fill has a value, so that asking for more is idle."""
    values = _values(claims, table)
    return all(any(any(values.get(name, ())) for name in names) for names in table.values() if names)


def profile_from_claims(
    claims: Mapping[str, Any], userinfo: Mapping[str, Any] | None, *, table: Table
) -> Profile:
    """The profile of the person whom verified *claims* are about, or :class:`OidcRefused`.

    What the ID token says wins over userinfo, which only fills gaps. ``table`` may name a claim inside
    another one with a dot (``realm_access.roles``).
    """
    merged = {**(userinfo or {}), **{name: value for name, value in claims.items() if value is not None}}
    raw = {name: value for name, value in merged.items() if name not in _MECHANICS}
    subject = str(claims["sub"])
    told = {name: value for name, value in raw.items() if name not in _ENVELOPE}
    try:
        profile = read_profile(_values(told, table), table, raw=raw, subject=subject)
    except Unclear as unclear:
        check = "missing" if unclear.is_missing else "unclear"
        raise OidcRefused(
            "oidc_token_invalid",
            check,
            found=unclear.found,
            expected=unclear.field if unclear.is_missing else "",
            field=unclear.field,
        ) from None
    return profile


def _values(claims: Mapping[str, Any], table: Table) -> Mapping[str, tuple[str, ...]]:
    """Every claim as texts, and those inside others under the dotted names that the table has."""
    dotted = {name for names in table.values() for name in names if "." in name and name not in claims}
    inner = {name: _inside(claims, name.split(".")) for name in dotted}
    return {name: _texts(value) for name, value in (*claims.items(), *inner.items())}


def _inside(claims: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _texts(value: Any) -> tuple[str, ...]:
    """A claim's values as texts; what is neither text nor number has none that a profile could show."""
    listed = value if isinstance(value, list) else [value]
    return tuple(
        one if isinstance(one, str) else str(one)
        for one in listed
        if isinstance(one, str | int) and not isinstance(one, bool)
    )
