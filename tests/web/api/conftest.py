"""The API as two vendors meet it. Every answer is held against the OpenAPI document as it passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator
from webtest import TestApp

from authio.app import Runtime
from authio.ids import new_id
from authio.models import connections, sign_in_attempts
from authio.services import Services
from authio.wire import openapi
from authio.wire.operations import OPERATIONS
from tests.conftest import Project

Begin = Callable[..., AbstractContextManager[Services]]
DOCUMENT = openapi.document()
ROUTES = [
    (
        operation,
        re.compile(re.sub(r"\{external_id\}", ".+", re.sub(r"\{(?!ext)\w+\}", "[^/]+", path)) + r"\Z"),
    )
    for operation in OPERATIONS.values()
    for path in operation.paths
]


class Vendor(TestApp):
    """A client that knows the contract. ``seen`` holds what it was answered: (operation, status)."""

    def __init__(self, application: Any, api_key: str | None) -> None:
        super().__init__(
            application, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:6543"}
        )
        self.seen: set[tuple[str, int]] = set()
        if api_key is not None:
            self.authorization = ("Bearer", api_key)

    def do_request(self, req: Any, status: Any = None, expect_errors: bool | None = None) -> Any:
        response = super().do_request(req, status=status, expect_errors=expect_errors)
        assert re.fullmatch(r"req_[0-9A-Z]{26}", response.headers["X-Request-ID"])
        path = req.environ["PATH_INFO"]
        for operation, pattern in ROUTES:
            if pattern.match(path) and operation.method == req.method and response.status_int != 405:
                self._check(operation.name, operation.paths[-1], operation.method, response)
                break
        return response

    def _check(self, name: str, path: str, method: str, response: Any) -> None:
        described = DOCUMENT["paths"][path][method.lower()]["responses"]
        assert str(response.status_int) in described, (
            f"{name} answered {response.status}, which nobody documented"
        )
        content = described[str(response.status_int)].get("content")
        if content is None:
            assert response.body == b""
            assert "Content-Type" not in response.headers
        else:
            assert response.headers["Content-Type"] == "application/json"
            schema = content["application/json"]["schema"] | {"components": DOCUMENT["components"]}
            Draft202012Validator(schema).validate(response.json)
        self.seen.add((name, response.status_int))


@pytest.fixture
def wsgi(runtime: Runtime) -> Any:
    """The application itself."""
    return runtime.wsgi()


@pytest.fixture
def vendor(wsgi: Any) -> Callable[[str | None], Vendor]:
    """Make a client of this application with a given key."""
    return lambda api_key: Vendor(wsgi, api_key)


@pytest.fixture
def api(vendor: Callable[[str | None], Vendor], project: Project) -> Vendor:
    """The vendor's backend."""
    return vendor(project.api_key)


@pytest.fixture
def other_project(services: Begin) -> Project:
    """Somebody else's project on the same installation."""
    with services() as s:
        row = s.projects.create("Somebody else's")
        _, key = s.projects.add_key(row.id)
    return Project(row.id, row.client_id, key)


@pytest.fixture
def stranger(vendor: Callable[[str | None], Vendor], other_project: Project) -> Vendor:
    """The other project's backend."""
    return vendor(other_project.api_key)


@pytest.fixture
def add_connection(services: Begin, project: Project) -> Callable[..., str]:
    """Put a connection into the table; its id."""

    def add(organization_id: str, *, project_id: str = project.id, **values: Any) -> str:
        now = datetime.now(UTC).replace(microsecond=0)
        row = {
            "id": new_id("connection"),
            "project_id": project_id,
            "organization_id": organization_id,
            "name": "Sample",
            "provider": "sample",
            "connector": "sample-saml",
            "protocol": "saml",
            "connection_type": "GenericSAML",
            "state": "active",
            "version": 1,
            "findings": [],
            "created_at": now,
            "updated_at": now,
            **values,
        }
        with services() as s:
            s.session.connection().execute(sa.insert(connections), row)
        return str(row["id"])

    return add


@pytest.fixture
def add_attempt(services: Begin, project: Project) -> Callable[..., str]:
    """Put a sign-in attempt over a connection into the table; its id."""

    def add(connection_id: str, organization_id: str, *, project_id: str = project.id, **values: Any) -> str:
        now = datetime.now(UTC).replace(microsecond=0)
        row = {
            "id": new_id("sign_in_attempt"),
            "project_id": project_id,
            "organization_id": organization_id,
            "connection_id": connection_id,
            "kind": "live",
            "protocol": "saml",
            "status": "failed",
            "is_idp_initiated": False,
            "settings_version": 1,
            "steps": [{"step": "refused", "at": "2026-01-15T12:00:00.000Z", "code": "saml_audience"}],
            "refusal": "saml_audience",
            "found": "urn:other",
            "expected": "urn:ours",
            "created_at": now,
            "expires_at": now,
            "finished_at": now,
            **values,
        }
        with services() as s:
            s.session.connection().execute(sa.insert(sign_in_attempts), row)
        return str(row["id"])

    return add


@pytest.fixture
def statements(runtime: Runtime) -> Callable[[], AbstractContextManager[list[str]]]:
    """``with statements() as seen``: every statement the application sends meanwhile."""

    @contextmanager
    def watch() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_c: Any, _cu: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
                seen.append(statement)

        sa.event.listen(runtime.database.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            sa.event.remove(runtime.database.engine, "before_cursor_execute", note)

    return watch


TOKENS = "/v1/sso/admin-portal/tokens"


@pytest.fixture
def mint(api: Vendor, organization: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Mint a link for the organization; the answer."""

    def mint_one(**body: Any) -> dict[str, Any]:
        made: dict[str, Any] = api.post_json(
            TOKENS, {"organization_id": organization["id"], **body}, status=201
        ).json
        return made

    return mint_one
