"""How an operation of the API is answered: one way for all of them, so that each view only says what it does.

Key, rate, body and query, then one transaction in which a repeated POST is recognised, the view acts, and
its answer is remembered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import venusian
from pyramid.request import Request
from pyramid.response import Response

from authio.errors import FieldError, MethodNotAllowed, NotFound, Unprocessable
from authio.faults import fault
from authio.services import Services
from authio.services.pages import Cursor, Page
from authio.views.api.bodies import read_body, read_query
from authio.views.routes import api_route
from authio.views.transactions import SAFE_METHODS
from authio.wire.fields import has_forbidden_characters, read
from authio.wire.operations import OPERATIONS, Operation
from authio.wire.page import list_out

_LONGEST_KEY = 255
JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request, read and authenticated: whose it is, what it brings, and what it may use."""

    request: Request
    services: Services
    project_id: str
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cursor(self) -> Cursor:
        """The page that the query asks for."""
        order, after, before = self.query["order"], self.query.get("after"), self.query.get("before")
        if order == "normal":
            order, after, before = "desc", before, after
        return Cursor(limit=self.query["limit"], order=order, after=after, before=before)

    def listed(self, page: Page, objects: list[JsonObject]) -> JsonObject:
        """*objects*, one for each row of *page*, in their envelope."""
        before = objects[0]["id"] if objects and page.has_before else None
        after = objects[-1]["id"] if objects and page.has_after else None
        if self.query.get("order") == "normal":
            before, after = after, before
        return list_out(objects, before=before, after=after)


View = Callable[..., JsonObject | None]
Check = Callable[[Request, Mapping[str, Any]], None]


def operation(
    name: str, *, check: Check | None = None, after_commit: str | None = None
) -> Callable[[View], View]:
    """Let the function answer the operation *name*; it gets a :class:`Call` and the path's values.

    *check* judges the body before a transaction begins. *after_commit* names the fault point behind it.
    """

    def decorate(view: View) -> View:
        def register(scanner: Any, _: str, __: object) -> None:
            found = OPERATIONS[name]
            answer = _Answerer(found, view, check, after_commit)
            for path in found.paths:
                scanner.config.add_view(answer, route_name=api_route(path), request_method=found.method)

        venusian.attach(view, register, category="pyramid")
        return view

    return decorate


class _Answerer:
    """A Pyramid view of one operation. Its schemas are made once."""

    def __init__(
        self, operation: Operation, view: View, check: Check | None, after_commit: str | None
    ) -> None:
        self._operation, self._view, self._check, self._after_commit = operation, view, check, after_commit
        self._body = operation.body() if operation.body is not None else None
        self._query = operation.query() if operation.query is not None else None
        missing = [code for code in operation.codes if code.endswith("_not_found")]
        self._missing = missing[0] if missing else "not_found"

    def __call__(self, context: Any, request: Request) -> Response:
        key = request.api_key
        request.registry.runtime.limiter.hit("api", key.id)
        if any(has_forbidden_characters(value) for value in request.matchdict.values()):
            # No id holds such characters, and a database would choke on them.
            raise NotFound(self._missing)
        call = partial(Call, request, project_id=key.project_id, **self._brought(request, key.project_id))
        with _transaction(request) as services:
            response = self._answered(call(services=services))
        if self._after_commit is not None:
            fault(self._after_commit)
        return response

    def _brought(self, request: Request, project_id: str) -> dict[str, Any]:
        brought: dict[str, Any] = {}
        if self._query is not None:
            brought["query"] = read_query(request, self._query)
        if self._body is not None:
            raw = read_body(request)
            brought["body"] = read(self._body, raw)
            if raw.get("project_id", project_id) not in (project_id, None):
                raise NotFound("project_not_found")
            if self._check is not None:
                self._check(request, brought["body"])
        return brought

    def _answered(self, call: Call) -> Response:
        key = idempotency_key(call.request) if self._operation.method == "POST" else None
        if key is None:
            return self._response(self._act(call))
        store = call.services.idempotency
        given = store.claim(call.project_id, key, self._digest(call))
        if given is not None:
            response = _json(given.status, given.body)
            response.headers["Idempotency-Replayed"] = "true"
            return response
        response = self._response(self._act(call))
        store.finish(
            call.project_id, key, status=response.status_int, body=response.body, once=self._operation.once
        )
        return response

    def _act(self, call: Call) -> JsonObject | None:
        return self._view(call, **call.request.matchdict)

    def _response(self, answer: JsonObject | None) -> Response:
        if answer is None:
            return _empty(self._operation.status)
        return _json(self._operation.status, to_bytes(answer))

    def _digest(self, call: Call) -> bytes:
        """What makes two requests the same one: what was asked, of what, with which values."""
        asked = [self._operation.name, sorted(call.request.matchdict.items()), call.body]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


@contextmanager
def _transaction(request: Request) -> Iterator[Services]:
    """pyramid_tm's transaction where it spans the request, else one of our own."""
    if request.environ.get("tm.active"):
        yield request.services
    else:
        with request.begin(write=request.method not in SAFE_METHODS) as services:
            yield services


def idempotency_key(request: Request) -> str | None:
    """What names this request when it is sent again; None if nothing does."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        wrong = FieldError("Idempotency-Key", "invalid", "Must be 1 to 255 printable ASCII characters.")
        raise Unprocessable("validation_failed", errors=[wrong])
    return key


def to_bytes(answer: JsonObject) -> bytes:
    """JSON as it is sent."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _json(status: int, body: bytes) -> Response:
    return Response(body, status=status, content_type="application/json", charset=None)


def _empty(status: int) -> Response:
    """A reply without a body, and so without a content type: clients would try to read it."""
    response = Response(status=status)
    response.headers.pop("Content-Type", None)
    return response


def includeme(config: Any) -> None:
    """Answer the methods that an API address does not take."""
    methods: dict[str, set[str]] = {}
    for found in OPERATIONS.values():
        for path in found.paths:
            methods.setdefault(path, set()).add(found.method)
    methods["openapi"] = {"GET"}
    for path, taken in methods.items():
        allowed = taken | {"HEAD"} if "GET" in taken else taken
        config.add_view(_Refusal(", ".join(sorted(allowed))), route_name=api_route(path))


class _Refusal:
    """The view behind all others of an address: this method is none of them."""

    def __init__(self, allowed: str) -> None:
        self._allowed = allowed

    def __call__(self, context: Any, request: Request) -> Response:
        raise MethodNotAllowed("method_not_allowed", headers={"Allow": self._allowed})
