"""The requests that are timed: a set-up from the mint to the saved connection, for many organizations.

Every organization walks the whole way over the wire, in step with the others: all mints, then all entry
pages, and so on. So each timed request has an organization, a link and a portal session of its own, and what
prepares it is not timed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from benchmarks import forms
from benchmarks.driver import Answer, Batch, Request
from benchmarks.metadata import PROVIDER, IdentityProvider

TITLES = {
    "mint": "mint: `POST /v1/sso/admin-portal/tokens`",
    "entry": "entry page: `GET /setup/{token}`",
    "step": "step page with form: `GET /setup/connect`",
    "answers": "answers: `POST /setup/connect`",
    "save": "save: `POST /setup/save`",
    "read": "connection read: `GET /connections/{id}`",
}
"""What is timed, in the order in which it happens."""


class Sender(Protocol):
    """Who carries requests to a server and brings the answers back."""

    def request(self, method: str, path: str, *, status: int = 200, **what: Any) -> Request: ...

    def run(self, requests: Iterable[Request]) -> Batch: ...


@dataclass
class _Visit:
    """One IT admin's browser: cookies, and the page it shows."""

    organization: str
    token: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    page: bytes = b""
    address: str = ""


class Walk:
    """One round: as many set-ups as *size*, and the batches that were timed on the way, by their phase."""

    def __init__(
        self, sender: Sender, *, api_key: str, identity_provider: IdentityProvider, size: int
    ) -> None:
        self._sender, self._identity_provider, self._size = sender, identity_provider, size
        self._bearer = {"Authorization": f"Bearer {api_key}"}
        self.timed: dict[str, Batch] = {}

    def all(self) -> Mapping[str, Batch]:
        """From the mint to reading the connection."""
        visits = self.mint(self.organizations())
        self.enter(visits)
        self._start(visits)
        self._connect(visits)
        self._save(visits)
        self.read(self.connections())
        return self.timed

    def organizations(self) -> list[str]:
        """New organizations, by id."""
        answers = self._sender.run(
            self._api(
                "POST", "/organizations", status=201, json_body={"name": f"Organization {uuid4().hex[:8]}"}
            )
            for _ in range(self._size)
        ).answers
        return [answer.json()["id"] for answer in answers]

    def mint(self, organizations: Sequence[str]) -> list[_Visit]:
        """A link for each organization."""
        answers = self._timed(
            "mint",
            [
                self._api(
                    "POST", "/v1/sso/admin-portal/tokens", status=201, json_body={"organization_id": one}
                )
                for one in organizations
            ],
        )
        return [
            _Visit(organization, token=urlsplit(answer.json()["url"]).path.removeprefix("/setup/"))
            for organization, answer in zip(organizations, answers, strict=True)
        ]

    def enter(self, visits: Sequence[_Visit]) -> None:
        """Each link opened for the first time."""
        self._show("entry", visits, lambda visit: f"/setup/{visit.token}")

    def read(self, connections: Sequence[str]) -> None:
        """Each connection read through the API."""
        self._timed("read", [self._api("GET", f"/connections/{one}") for one in connections])

    def connections(self) -> list[str]:
        """The newest connections, as many as this round made."""
        found: list[str] = []
        after: str | None = None
        while len(found) < self._size:
            query = {"limit": "100", "order": "desc", **({"after": after} if after else {})}
            listed = (
                self._sender.run([self._api("GET", f"/connections?{urlencode(query)}")]).answers[0].json()
            )
            found += [one["id"] for one in listed["data"]]
            after = listed["list_metadata"]["after"]
            if after is None:
                break
        return found[: self._size]

    def _start(self, visits: Sequence[_Visit]) -> None:
        self._post(visits, "start", {"it_admin_email": "admin@acme.example"})
        self._show(None, visits, lambda _: "/setup/providers")
        self._post(visits, "pick", {"provider": PROVIDER})

    def _connect(self, visits: Sequence[_Visit]) -> None:
        self._show("step", visits, lambda _: "/setup/connect")
        self._post(
            visits,
            "answers",
            lambda visit: {"metadata_xml": self._identity_provider.metadata(visit.organization[-26:])},
            phase="answers",
        )

    def _save(self, visits: Sequence[_Visit]) -> None:
        self._show(None, visits, lambda _: "/setup/review")
        self._post(visits, "save", {}, phase="save")

    def _show(self, phase: str | None, visits: Sequence[_Visit], address: Any) -> None:
        wanted = []
        for visit in visits:
            visit.address = address(visit)
            wanted.append(self._browser(visit, "GET", visit.address))
        for visit, answer in zip(visits, self._timed(phase, wanted), strict=True):
            visit.page = answer.body
            visit.cookies |= answer.cookies()

    def _post(self, visits: Sequence[_Visit], form: str, answers: Any, *, phase: str | None = None) -> None:
        wanted = []
        for visit in visits:
            found = forms.find(visit.page, form, address=visit.address)
            body = found.body(answers(visit) if callable(answers) else answers)
            wanted.append(self._browser(visit, "POST", found.action, status=303, body=body))
        for visit, answer in zip(visits, self._timed(phase, wanted), strict=True):
            visit.cookies |= answer.cookies()

    def _api(self, method: str, path: str, **what: Any) -> Request:
        return self._sender.request(method, path, headers=self._bearer, **what)

    def _browser(self, visit: _Visit, method: str, path: str, **what: Any) -> Request:
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        if visit.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in visit.cookies.items())
        return self._sender.request(method, path, headers=headers, **what)

    def _timed(self, phase: str | None, wanted: Sequence[Request]) -> Sequence[Answer]:
        batch = self._sender.run(wanted)
        if phase is not None:
            self.timed[phase] = batch
        return batch.answers


def peer_round(
    sender: Sender, *, api_key: str, identity_provider: IdentityProvider, size: int
) -> Mapping[str, Batch]:
    """What the peer has of it: a setup link, and a connection from the same metadata."""
    headers = {"Authorization": f"Bearer {api_key}"}
    tenants = [uuid4().hex for _ in range(size)]
    common = {
        "product": "benchmark",
        "defaultRedirectUrl": "https://app.example.com/callback",
        "redirectUrl": '["https://app.example.com/callback"]',
    }
    mints = [
        sender.request(
            "POST", "/setuplinks", status=201, headers=headers, json_body={**common, "tenant": tenant}
        )
        for tenant in tenants
    ]
    saves = [
        sender.request(
            "POST",
            "/connections",
            status=201,
            headers=headers,
            json_body={**common, "tenant": tenant, "rawMetadata": identity_provider.metadata(tenant[:26])},
        )
        for tenant in tenants
    ]
    return {"mint": sender.run(mints), "save": sender.run(saves)}
