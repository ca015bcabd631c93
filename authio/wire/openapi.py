"""The OpenAPI 3.1 document, made from the table of operations, their schemas and the error table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import colander

from authio.errors import CODES
from authio.wire import oauth_paths
from authio.wire.event import CATALOGUE
from authio.wire.fields import List
from authio.wire.objects import OBJECTS, list_of
from authio.wire.operations import OPERATIONS, Operation

VERSION = "1.0.0"
_EVERYWHERE = (
    "missing_api_key",
    "invalid_api_key",
    "rate_limit_exceeded",
    "internal_error",
    "db_unavailable",
)
_WITH_QUERY = ("validation_failed",)
_WITH_BODY = (
    "invalid_json",
    "project_not_found",
    "request_too_large",
    "unsupported_media_type",
    "validation_failed",
)
_WITH_KEY = ("idempotency_error", "idempotency_in_progress")
_REQUEST_ID = {"description": "Names this request in our log.", "schema": {"type": "string"}}


def document() -> dict[str, Any]:
    """The whole document. Paths are those under ``/v1``; all but what is only ours are at the root too."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS.values():
        paths.setdefault(operation.paths[-1], {})[operation.method.lower()] = _operation(operation)
    paths |= oauth_paths.paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "authio",
            "version": VERSION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": (
                "The management API, and signing people in. Every path is also reachable without /v1, where "
                f"existing clients look for it, except {_only_ours()}."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": [
            {"name": tag}
            for tag in dict.fromkeys((*(one.tag for one in OPERATIONS.values()), oauth_paths.TAG))
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, sk_..."},
                **oauth_paths.SECURITY,
            },
            "schemas": {
                **OBJECTS,
                **oauth_paths.SCHEMAS,
                "EventType": {"type": "string", "enum": sorted(CATALOGUE)},
                **{f"{name}List": list_of(name) for name in _listed()},
            },
        },
    }


def text() -> str:
    """The document as it is committed and served."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def write(path: Path) -> None:
    """Write the document to *path*."""
    path.write_text(text(), encoding="utf-8")


def codes_of(operation: Operation) -> frozenset[str]:
    """Every error code that *operation* can be answered with."""
    codes = {*_EVERYWHERE, *operation.codes}
    if operation.query is not None:
        codes.update(_WITH_QUERY)
    if operation.query is not None or "{" in operation.path:
        # Bytes in an address that are no text.
        codes.add("bad_request")
    if operation.body is not None:
        codes.update(_WITH_BODY)
    if operation.method == "POST":
        codes.update(_WITH_KEY)
    return frozenset(codes)


def _only_ours() -> str:
    ours = dict.fromkeys(one.path.partition("/{")[0] for one in OPERATIONS.values() if one.ours)
    return "those under " + ", ".join(f"/v1{path}" for path in ours)


def _listed() -> list[str]:
    return sorted({one.answer for one in OPERATIONS.values() if one.is_list and one.answer})


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.method == "POST":
        described["parameters"].append(_IDEMPOTENCY_KEY)
    if operation.body is not None:
        content: dict[str, Any] = {"schema": _schema(operation.body())}
        if operation.example is not None:
            content["example"] = operation.example
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of up to 255 characters: the request is done once, however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def _path_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.query is None:
        return
    for node in operation.query().children:
        parameter = {
            "name": node.name,
            "in": "query",
            "required": node.required,
            "description": node.description,
            "schema": _schema(node),
        }
        if isinstance(node.typ, List):
            parameter |= {"style": "form", "explode": False}
            parameter["description"] += " Also taken as a repeated parameter, or with brackets."
        yield parameter


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {
        "description": "Done. The body is empty." if operation.answer is None else "Done.",
        "headers": {"X-Request-ID": _REQUEST_ID},
    }
    if operation.answer is not None:
        name = f"{operation.answer}List" if operation.is_list else operation.answer
        done["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    responses = {str(operation.status): done}
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes_of(operation)):
        by_status.setdefault(CODES[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        schema = {
            "allOf": [{"$ref": "#/components/schemas/Error"}],
            "properties": {"code": {"enum": codes}},
        }
        responses[str(status)] = {
            "description": " ".join(CODES[code].message for code in codes),
            "headers": {"X-Request-ID": _REQUEST_ID},
            "content": {"application/json": {"schema": schema}},
        }
    return responses


def _schema(node: Any) -> dict[str, Any]:
    """What a colander node takes, in JSON Schema."""
    if isinstance(node.typ, colander.Mapping):
        fields = {child.name: _described(child) for child in node.children}
        wanted = [child.name for child in node.children if child.required]
        return {"type": "object", "properties": fields} | ({"required": wanted} if wanted else {})
    schema: dict[str, Any] = node.typ.json_schema()
    if isinstance(node.typ, List):
        schema["items"] = _schema(node.children[0])
    if hasattr(node.validator, "json_schema"):
        schema |= node.validator.json_schema()
    if node.missing not in (colander.required, colander.drop):
        schema["default"] = node.missing
    return schema


def _described(node: Any) -> dict[str, Any]:
    schema = _schema(node)
    return schema | {"description": node.description} if node.description else schema
