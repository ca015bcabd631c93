"""Requests to a provider and its answers, as values. Whoever calls hands in the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

_SECRET = frozenset({"client_secret", "client_assertion", "code", "code_verifier"})


@dataclass(frozen=True)
class Request:
    """One request: a POST if it has a body, else a GET. It holds secrets; :meth:`shown` does not."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    def shown(self) -> dict[str, object]:
        """The request for people to look at: no header values, and form fields without the secret ones."""
        pairs = parse_qsl((self.body or b"").decode("ascii"), keep_blank_values=True)
        fields = {name: "…" if name in _SECRET else value for name, value in pairs}
        method = "GET" if self.body is None else "POST"
        return {"method": method, "url": self.url, "headers": sorted(self.headers), "fields": fields}


class Answer(Protocol):
    """What came back, whatever its status."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...


class Send(Protocol):
    """The only network there is: guarded, limited, no redirects. Raises :class:`NoAnswer`."""

    def __call__(self, request: Request, /) -> Answer: ...


class NoAnswer(Exception):
    """The request was not made, or nothing usable came back; ``code`` is one of the client's own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
