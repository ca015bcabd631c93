"""JSON from strangers: read so that nobody else could have read it differently, at a bounded cost."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_DEPTH = 32
"""Brackets that may be open at once."""

# The star is possessive, and an unclosed string runs to the end: whatever the text, each character is
# looked at a fixed number of times.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89abAB])")


class NotJson(ValueError):
    """This is no JSON that can be used; ``too_deep`` if only because of how deep it nests."""

    def __init__(self, *, too_deep: bool = False) -> None:
        super().__init__("nested too deep" if too_deep else "no usable JSON")
        self.too_deep = too_deep


def read_json(document: str | bytes, *, deepest: int = MAX_DEPTH) -> Any:
    """The value of a JSON text, or :class:`NotJson`.

    Stricter than the standard library: a name occurs once per object, ``NaN`` and infinities are no
    numbers, whole numbers have at most 20 characters, and no text holds NUL or half of a surrogate
    pair, which databases refuse to store. Bytes are UTF-8, with or without a byte order mark.
    """
    try:
        raw = document if isinstance(document, bytes) else document.encode("utf-8")
        text = raw.decode("utf-8-sig")
        if _depth(text) > deepest:
            raise NotJson(too_deep=True)
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refused, parse_float=_finite, parse_int=_short
        )
        if _SUSPECT.search(text):
            _storable(value)
    except NotJson:
        raise
    except ValueError:
        raise NotJson from None
    return value


def _depth(text: str) -> int:
    """How deep brackets nest outside strings: known before the parser, which would recurse, is asked."""
    depth = deepest = 0
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson
    return found


def _refused(_: str) -> Any:
    raise NotJson


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits)


def _short(digits: str) -> int:
    return int(digits) if len(digits) <= 20 else _refused(digits)


def _storable(value: Any) -> None:
    """Raise ``ValueError`` for a text that UTF-8 cannot carry or PostgreSQL will not store."""
    whole = json.dumps(value, ensure_ascii=False)
    whole.encode("utf-8")
    # A NUL is the only character that is written as this escape; a backslash before it would be doubled.
    if re.search(r"(?<!\\)(?:\\\\)*\\u0000", whole):
        raise NotJson
