"""Profile: the one shape a signed-in person has, whatever the protocol, and how attributes become one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FIELDS = ("id", "email", "first_name", "last_name", "groups")
"""Fields of a profile that an attribute table can fill; other rows of a table become custom attributes."""

Values = Mapping[str, tuple[str, ...]]
"""Attributes, or claims read as text: each name with its values in order."""

Table = Mapping[str, tuple[str, ...]]
"""Each field of a profile with the attribute names that may fill it, first hit wins."""

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[^\s@<>\"(),:;\\]{1,255}")
_GUEST = "#ext#"
"""In the name a directory makes up for a guest of another company: looks like an address, and is none."""


@dataclass(frozen=True)
class Profile:
    """A signed-in person. ``id`` and ``email`` are never empty."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    groups: tuple[str, ...] = ()
    custom: Values = field(default_factory=dict)
    """What rows of the attribute table beyond :data:`FIELDS` have found."""
    raw: Mapping[str, object] = field(default_factory=dict)
    """Everything the identity provider said, under its own names."""


class Unclear(Exception):
    """A field of the profile has no value, or two that differ; ``found`` says what there was."""

    def __init__(self, field: str, *, found: str, because: str, is_missing: bool = False) -> None:
        self.field = field
        self.found = found
        self.because = because
        self.is_missing = is_missing
        super().__init__(f"{field}: {because}")


def looks_like_an_address(text: str) -> bool:
    """Whether *text* has the shape of an e-mail address, and is not the made-up name of a guest."""
    return _ADDRESS.fullmatch(text) is not None and _GUEST not in text.lower()


def read_profile(
    values: Values,
    table: Table,
    *,
    raw: Mapping[str, object],
    subject: str,
    subject_is_address: bool = False,
) -> Profile:
    """The profile that *values* make by *table*, or :class:`Unclear`.

    ``subject`` (a NameID, a ``sub``) is the id of last resort; it stands in for a missing e-mail address if
    ``subject_is_address`` says so, or if it looks like one.
    """
    read = _Reader(values)
    named = {name: table.get(name, ()) for name in FIELDS}
    stands_in = (subject_is_address or looks_like_an_address(subject)) and _GUEST not in subject.lower()
    email = read.address(named["email"]) or (subject if stands_in else "")
    if not email:
        raise Unclear(
            "email",
            found=", ".join(sorted(values)),
            because="no attribute holds an e-mail address",
            is_missing=True,
        )
    return Profile(
        id=read.one("id", named["id"]) or subject,
        email=email,
        first_name=read.one("first_name", named["first_name"]),
        last_name=read.one("last_name", named["last_name"]),
        groups=read.every(named["groups"]),
        custom={
            name: found
            for name, names in table.items()
            if name not in FIELDS and (found := read.every(names))
        },
        raw=raw,
    )


class _Reader:
    """Attributes looked up by name: as written first, then without regard to case."""

    def __init__(self, values: Values) -> None:
        self._exact = {name: _filled(found) for name, found in values.items()}
        self._folded: dict[str, tuple[str, ...]] = {}
        for name, found in self._exact.items():
            self._folded[name.casefold()] = (*self._folded.get(name.casefold(), ()), *found)

    def every(self, names: Sequence[str]) -> tuple[str, ...]:
        """All values of the first name that has any, each once."""
        for name in names:
            found = self._exact.get(name) or self._folded.get(name.casefold())
            if found:
                return tuple(dict.fromkeys(found))
        return ()

    def one(self, field: str, names: Sequence[str]) -> str:
        """The value of the first name that has one; two that differ are not a value."""
        found = self.every(names)
        if len(found) > 1:
            raise Unclear(field, found=" | ".join(found), because="two values where one is allowed")
        value = found[0] if found else ""
        if not value.isprintable():
            raise Unclear(field, found=value, because="control characters in a value")
        return value

    def address(self, names: Sequence[str]) -> str:
        """The value of the first name that has an e-mail address for its value."""
        for name in names:
            value = self.one("email", (name,))
            if looks_like_an_address(value):
                return value
        return ""


def _filled(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stripped for value in values if (stripped := value.strip()))
