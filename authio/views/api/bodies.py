"""What an API request brings: its JSON body, and its query string in any of the spellings clients use."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import colander
from pyramid.request import Request

from authio.errors import BadRequest, FieldError, TooLarge, Unprocessable, UnsupportedMediaType
from authio.wire.fields import List, read

LARGEST_BODY = 256 * 1024
_JSON = re.compile(r"application/(?:json|[a-z0-9.+-]+\+json)", re.IGNORECASE)
_INDEX = re.compile(r"\[\d{0,4}\]")


def read_body(request: Request) -> dict[str, Any]:
    """The JSON object in the body; an absent body is an empty object."""
    # One byte more than is taken, and no further, whatever was announced.
    raw = request.body_file.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise TooLarge("request_too_large")
    if not raw.strip():
        return {}
    if request.content_type and not _JSON.fullmatch(request.content_type):
        raise UnsupportedMediaType("unsupported_media_type")
    return _parsed(raw)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number, parse_float=_number
        )
    except (ValueError, RecursionError):
        raise BadRequest("invalid_json") from None
    if not isinstance(body, dict):
        raise BadRequest("invalid_json")
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("two values under one name: which one is meant is anybody's guess")
    return found


def _no_number(word: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number beyond what a number can be")
    return number


def read_query(request: Request, schema: Any) -> dict[str, Any]:
    """The query string as *schema* reads it. Empty values count as absent, unknown names are ignored."""
    given = [(name, value) for name, value in request.GET.items() if value != ""]
    values: dict[str, Any] = {}
    for node in schema.children:
        if isinstance(node.typ, List):
            found = [value for name, value in given if _names(node.name, name)]
            parts = [part for value in found for part in value.split(",") if part]
            if parts:
                values[node.name] = parts
            continue
        found = [value for name, value in given if name == node.name]
        if len(found) > 1:
            repeated = FieldError(node.name, "repeated", "Must be given once.")
            raise Unprocessable("validation_failed", errors=[repeated])
        values[node.name] = found[0] if found else colander.null
    return read(schema, values)


def _names(wanted: str, name: str) -> bool:
    """Whether *name* is *wanted*, or *wanted* with empty or numbered brackets."""
    return name == wanted or (name.startswith(wanted) and _INDEX.fullmatch(name[len(wanted) :]) is not None)
