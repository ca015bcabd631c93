"""The portal as IT admins meet it: a browser without script, a link, and what a provider handed out."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from webtest import TestApp, TestResponse

from authio.app import Runtime
from authio.models import audit_events, connections, events
from authio.services import Services
from authio.services.setup_links import Wanted

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "idp-samples"
HOST = "localhost:6543"
Begin = Callable[..., AbstractContextManager[Services]]


@dataclass(frozen=True)
class Link:
    """A setup link as the vendor sent it: ``path`` is what the IT admin opens."""

    id: str
    project_id: str
    organization_id: str
    token: str

    @property
    def path(self) -> str:
        return f"/setup/{self.token}"


@dataclass
class ItAdmin:
    """One IT admin at one browser. Every step returns the page it led to, redirects followed."""

    app: TestApp
    email: str = "ada@acme.example"
    page: TestResponse = field(default=None, repr=False)

    def open(self, link: Link) -> TestResponse:
        return self._at(self.app.get(link.path, status="*"))

    def start(self, link: Link) -> TestResponse:
        self.open(link)
        return self.submit("start", it_admin_email=self.email)

    def pick(self, provider: str) -> TestResponse:
        self.go("/setup/providers")
        return self.submit("pick", provider=provider)

    def answer(self, **answers: Any) -> TestResponse:
        self.go("/setup/connect")
        return self.submit("answers", **answers)

    def save(self) -> TestResponse:
        self.go("/setup/review")
        return self.submit("save")

    def go(self, path: str) -> TestResponse:
        return self._at(self.app.get(path, status="*"))

    def body(self, name: str, **fields: Any) -> tuple[str, Mapping[str, str]]:
        """Where the form called *name* of the present page goes, and what it says."""
        form = form_of(self.page, name)
        return form.action or self.page.request.path, {**dict(form.submit_fields()), **fields}

    def submit(self, name: str, *, files: Mapping[str, bytes] | None = None, **fields: Any) -> TestResponse:
        """Send the form called *name* of the present page."""
        action, body = self.body(name, **fields)
        uploads = [(field, f"{field}.xml", content) for field, content in (files or {}).items()]
        for field_name in files or {}:
            body.pop(field_name, None)
        body = {name: value for name, value in body.items() if isinstance(value, str)}
        return self._at(self.app.post(action, body, upload_files=uploads or None, status="*"))

    def _at(self, response: TestResponse) -> TestResponse:
        while response.status_int == 303:
            response = self.app.get(response.location, status="*")
        self.page = response
        return response


def form_of(page: TestResponse, name: str) -> Any:
    """The form with that ``data-form``."""
    for form in page.forms.values():
        if f'data-form="{name}"' in form.text:
            return form
    raise LookupError(f"{name_of(page)} ({page.status}) has no form {name}")


def name_of(page: TestResponse) -> str:
    """The page's name, from ``<main data-page>``."""
    main = page.html.find("main")
    return str(main["data-page"]) if main is not None else ""


def code_of(page: TestResponse) -> str | None:
    """The error's code, from ``<main data-error-code>``."""
    found = page.html.find("main").get("data-error-code")
    return str(found) if found is not None else None


def findings_of(page: TestResponse) -> set[tuple[str, str]]:
    """Level and code of every finding on the page."""
    return {(one["data-level"], one["data-finding"]) for one in page.html.select("[data-finding]")}


def sample(path: str) -> bytes:
    """A metadata or discovery document as a provider writes it."""
    return (SAMPLES / path).read_bytes()


@pytest.fixture
def browser_of(runtime: Runtime) -> Callable[[], ItAdmin]:
    """A new browser, with no cookies yet, at the same running application."""
    application = _tidy(runtime.wsgi())

    def make() -> ItAdmin:
        return ItAdmin(TestApp(application, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": HOST}))

    return make


def _tidy(application: Any) -> Any:
    """The application; the file into which WebOb copies a large body is closed, not left to chance."""

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        try:
            return application(environ, start_response)
        finally:
            if isinstance(environ["wsgi.input"], io.BufferedRandom):
                environ["wsgi.input"].close()

    return call


@pytest.fixture
def admin(browser_of: Callable[[], ItAdmin]) -> ItAdmin:
    """The IT admin of Acme."""
    return browser_of()


@pytest.fixture
def mint(services: Begin, project: Any) -> Callable[..., Link]:
    """A new link; for a new organization called Acme unless ``organization_id`` says otherwise."""

    def make(*, organization_id: str | None = None, hours: float = 24, **wanted: Any) -> Link:
        with services() as s:
            if organization_id is None:
                organization_id = s.organizations.create(project.id, name="Acme").id
            organization = s.organizations.hold(project.id, organization_id)
            row, token = s.setup_links.mint(
                organization, Wanted(intents=["sso"], lifetime=timedelta(hours=hours), **wanted)
            )
        return Link(row.id, project.id, organization_id, token)

    return make


@pytest.fixture
def link(mint: Callable[..., Link]) -> Link:
    """One open link."""
    return mint()


@pytest.fixture
def ready(admin: ItAdmin, link: Link) -> ItAdmin:
    """An IT admin at the check, with Okta's metadata brought and understood."""
    admin.start(link)
    admin.pick("okta")
    page = admin.answer(metadata_xml=sample("okta/good.xml").decode())
    assert name_of(page) == "review", page.text
    return admin


@dataclass(frozen=True)
class Ledger:
    """What the database remembers of it all."""

    services: Begin

    def audit(self) -> list[Any]:
        return self._all(sa.select(audit_events).order_by(audit_events.c.id))

    def actions(self) -> list[str]:
        return [row.action for row in self.audit()]

    def events(self) -> list[str]:
        return [row.type for row in self._all(sa.select(events).order_by(events.c.id))]

    def connections(self) -> list[Any]:
        return self._all(sa.select(connections).order_by(connections.c.id))

    def link_state(self, link: Link) -> str:
        with self.services(write=False) as s:
            return str(s.setup_links.get(link.project_id, link.id).state)

    def _all(self, statement: Any) -> list[Any]:
        with self.services(write=False) as s:
            return list(s.session.connection().execute(statement))


@pytest.fixture
def ledger(services: Begin) -> Ledger:
    """What happened, as rows."""
    return Ledger(services)
