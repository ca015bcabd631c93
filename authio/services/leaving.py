"""Values that travel through a sign-in: what is wanted, how the browser leaves, and who comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authio.protocols.profile import Profile
from authio.protocols.saml_request import Form, Redirect


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the sign-in is for: where it goes back to, and what the product asks of the provider."""

    redirect_uri: str | None = None
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    login_hint: str | None = None
    domain_hint: str | None = None
    force: bool = False
    """Whether the provider is to ask for credentials although it knows the person."""


@dataclass(frozen=True)
class Leaving:
    """How the browser leaves for the identity provider, and what we remember until it is back."""

    by: Redirect | Form
    handle: str = field(repr=False)
    """What the provider hands back, by which the attempt is found again."""
    secrets: Mapping[str, str] = field(repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the attempt's first step tells, secrets left out."""


@dataclass(frozen=True)
class Use:
    """An assertion that must not come again before it ends."""

    digest: bytes
    until: datetime


@dataclass(frozen=True)
class Identified:
    """The person an answer is about. It has been judged; whether they may come in has not."""

    profile: Profile
    answer: bytes = field(repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)
    use: Use | None = None
