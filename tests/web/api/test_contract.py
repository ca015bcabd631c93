"""The published document, and that real answers keep to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from authio.errors import CODES
from authio.rates import Limiter, Rate
from authio.wire import openapi
from authio.wire.operations import OPERATIONS
from tests.web.api.conftest import TOKENS, Vendor

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_document_is_valid_openapi() -> None:
    validate(openapi.document())


def test_the_committed_document_is_the_generated_one() -> None:
    assert (DOCS / "openapi.json").read_text(encoding="utf-8") == openapi.text(), "`make generate` writes it"


def test_the_document_is_served_without_a_key(vendor: Callable[[str | None], Vendor]) -> None:
    served = vendor(None).get("/v1/openapi.json", status=200)

    assert served.json == openapi.document()


def test_the_document_can_be_written_to_a_file(tmp_path: Path) -> None:
    openapi.write(tmp_path / "openapi.json")

    assert json.loads((tmp_path / "openapi.json").read_text(encoding="utf-8"))["openapi"] == "3.1.0"


def test_every_code_of_an_operation_is_in_the_error_table() -> None:
    for operation in OPERATIONS.values():
        assert openapi.codes_of(operation) <= set(CODES)


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS.values() if one.example], ids=lambda one: one.name
)
def test_the_example_of_an_operation_is_accepted(operation: Any) -> None:
    from authio.wire.fields import read

    assert read(operation.body(), operation.example)


def test_the_error_table_is_in_the_docs() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")

    for name, code in CODES.items():
        assert f"| {code.status} | `{name}` | {code.message} |" in page


def test_every_operation_gives_every_answer_that_is_documented(
    api: Vendor,
    runtime: Any,
    vendor: Callable[[str | None], Vendor],
    add_connection: Callable[..., str],
    add_attempt: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each (operation, status) of the document is brought about, and each answer fits its schema."""
    organization = api.post_json("/organizations", {"name": "A", "external_id": "a"}, status=201).json["id"]
    doomed = api.post_json("/organizations", {"name": "B"}, status=201).json["id"]
    connection = add_connection(organization)
    token = api.post_json(TOKENS, {"organization_id": organization}, status=201).json["id"]
    url = "https://hooks.example.com/a"
    endpoint = api.post_json("/webhook_endpoints", {"endpoint_url": url, "events": ["*"]}, status=201).json[
        "id"
    ]
    redirect_uri = api.post_json("/v1/redirect_uris", {"uri": "https://a.example.com/"}, status=201).json[
        "id"
    ]
    paths = {
        "redirect_uri_id": redirect_uri,
        "attempt_id": add_attempt(connection, organization),
        "organization_id": organization,
        "external_id": "a",
        "connection_id": connection,
        "token_id": token,
        "endpoint_id": endpoint,
    }
    bodies: dict[str, Any] = {
        "create_organization": {"name": "C"},
        "update_organization": {"name": "D"},
        "create_admin_portal_token": {"organization_id": organization},
        "generate_portal_link": {"organization": organization},
        "revoke_portal_link": {"organization": organization, "external_user_id": "user-7"},
        "create_redirect_uri": {"uri": "https://b.example.com/"},
        "create_webhook_endpoint": {"endpoint_url": "https://hooks.example.com/b", "events": ["*"]},
        "update_webhook_endpoint": {"events": ["connection.*"]},
    }
    refused: dict[str, Any] = {
        "create_organization": {"metadata": 1},
        "update_organization": {"metadata": 1},
        "generate_portal_link": {"organization": "org_x"},
        "revoke_portal_link": {"organization": "org_x"},
        "create_redirect_uri": {"uri": "https://a.example.com/"},
        "create_webhook_endpoint": {"endpoint_url": url, "events": ["*"]},
        "update_webhook_endpoint": {"endpoint_url": url},
    }
    seen: set[tuple[str, int]] = set()

    def send(client: Vendor, name: str, path: str, body: Any = None, **headers: str) -> None:
        operation = OPERATIONS[name]
        content = {} if body is None else {"params": body, "content_type": "application/json"}
        client.request(path, method=operation.method, headers=headers, expect_errors=True, **_body(content))
        seen.update(client.seen)

    keyless = vendor(None)
    for name, operation in OPERATIONS.items():
        path = operation.paths[-1].format_map(paths)
        body = None if operation.body is None else json.dumps(bodies[name])
        query = "?events=organization.created" if name == "list_events" else ""
        nowhere = operation.paths[-1].format_map(dict.fromkeys(paths, "org_00000000000000000000000000"))
        if name == "update_webhook_endpoint":
            second = api.post_json(
                "/webhook_endpoints", {"endpoint_url": "https://hooks.example.com/c", "events": ["*"]}
            ).json["id"]
            send(api, name, f"/v1/webhook_endpoints/{second}", json.dumps({"endpoint_url": url}))
        if operation.query is not None:
            send(api, name, path + "?limit=0")
            send(api, name, path + "?limit=%FF")
        if "{" in operation.path:
            send(api, name, operation.paths[-1].format_map(dict.fromkeys(paths, "%FF")), body)
        if operation.body is not None:
            send(api, name, path, "[")
            send(api, name, path, " " * (256 * 1024 + 1))
            send(api, name, path, json.dumps({**bodies[name], "project_id": "proj_x"}))
            send(api, name, path, json.dumps({**bodies[name], **refused.get(name, {})}))
            send(api, name, path, json.dumps({"name": 5, "ttl_seconds": 1, "endpoint_url": 5}))
            api.request(
                path, method=operation.method, body=b"a=b", content_type="text/plain", expect_errors=True
            )
        if operation.method == "POST":
            send(api, name, path, body, **{"Idempotency-Key": name})
            send(api, name, path, json.dumps({**bodies[name], "locale": "en", "name": "E", "events": ["*"]}))
            send(api, name, path, json.dumps({**bodies[name], **_other(name)}), **{"Idempotency-Key": name})
        send(keyless, name, path + query)
        send(api, name, nowhere, body)
        deletes_all = name == "delete_organization"
        send(api, name, f"/v1/organizations/{doomed}" if deletes_all else path + query, body)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken on purpose")

    for name, operation in OPERATIONS.items():
        path = operation.paths[-1].format_map(paths)
        body = None if operation.body is None else json.dumps(bodies[name])
        with monkeypatch.context() as patched:
            patched.setattr("authio.views.security._bearer", broken)
            send(api, name, path, body)
        with monkeypatch.context() as patched:
            patched.setattr(runtime, "limiter", Limiter("memory://", {"api": Rate(1, 60)}))
            send(api, name, path, body)
            send(api, name, path, body)
        with monkeypatch.context() as patched:
            patched.setattr("authio.services.projects.Projects.key_of", _database_away)
            send(api, name, path, body)

    documented = {
        (name, int(status))
        for name, operation in OPERATIONS.items()
        for status in openapi.document()["paths"][operation.paths[-1]][operation.method.lower()]["responses"]
    }
    assert documented - seen == set()


def _body(content: dict[str, Any]) -> dict[str, Any]:
    if not content:
        return {}
    return {"body": content["params"].encode(), "content_type": content["content_type"]}


def _other(name: str) -> dict[str, Any]:
    return {"name": "Other", "ttl_seconds": 600, "events": ["connection.*"], "external_user_id": "user-8"}


def _database_away(*_: Any) -> None:
    from sqlalchemy import exc

    raise exc.OperationalError("select", {}, Exception("gone"))
