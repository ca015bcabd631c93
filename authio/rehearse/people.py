"""Who can sign in at the rehearsal provider: three people, and whoever is typed in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Person:
    """Somebody in the provider's directory."""

    email: str
    first_name: str
    last_name: str
    groups: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """An opaque identifier that stays the same for one address."""
        return hashlib.sha256(self.email.casefold().encode()).hexdigest()[:24]

    @property
    def name(self) -> str:
        """The name to show."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


PEOPLE: Final[Mapping[str, Person]] = {
    "ada": Person("ada@acme.example", "Ada", "Lovelace", ("Engineering", "Everyone")),
    "grace": Person("grace@acme.example", "Grace", "Hopper", ("Admins", "Everyone")),
    "jose": Person("jose@elsewhere.example", "José", "Ñandú", ()),
}
"""By what a button of the sign-in page is called. The last one is of another company."""


def typed_in(form: Mapping[str, str]) -> Person:
    """Whoever a sign-in form describes: one of :data:`PEOPLE` by name, or what stands in its fields."""
    if form.get("person", "") in PEOPLE:
        return PEOPLE[form["person"]]
    groups = tuple(group for one in form.get("groups", "").split(",") if (group := one.strip()))
    fields = (form.get(name, "").strip() for name in ("email", "first_name", "last_name"))
    email, first_name, last_name = fields
    return Person(email or PEOPLE["ada"].email, first_name, last_name, groups)
