"""JSON that nobody could read in two ways, and the time it takes to say no."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authio.protocols.strict_json import MAX_DEPTH, NotJson, read_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0")), inner)
    ),
    max_leaves=20,
)


@given(values)
def test_what_json_writes_is_read_back(value: Any) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "document",
    [
        '{"a": 1, "a": 1}',
        '[{"deep": {"a": 1, "b": 2, "a": 3}}]',
        '{"a": 1, "\\u0061": 2}',
        "NaN",
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": 123456789012345678901}',
        '{"a": "\\u0000"}',
        '{"a": "\\\\\\u0000"}',
        '{"\\u0000": 1}',
        '{"a": "\\ud800"}',
        '{"a": "\\udc00\\ud800"}',
        '{"a": "a\nb"}',
        '{"a": "unclosed',
        "",
        "{",
        '{"a": 1} x',
        '"\ud800"',
        b"\xff\xfe{}",
        b'{"a": "\xed\xa0\x80"}',
    ],
)
def test_SEC_73_what_two_readers_could_read_differently_is_refused(document: str | bytes) -> None:
    with pytest.raises(NotJson) as refused:
        read_json(document)
    assert not refused.value.too_deep


@pytest.mark.parametrize(
    ("document", "value"), [('"\\\\u0000"', "\\u0000"), ('"\\ud83d\\ude00"', "😀"), (b"\xef\xbb\xbf1", 1)]
)
def test_what_only_looks_like_it_is_taken(document: str | bytes, value: Any) -> None:
    assert read_json(document) == value


def test_brackets_count_outside_texts_only() -> None:
    assert read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert read_json(json.dumps("[" * 1000 + '"' + "{" * 1000))
    with pytest.raises(NotJson) as refused:
        read_json("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert refused.value.too_deep


@pytest.mark.parametrize("piece", ['\\"', '"', "[", "\\", '"\\', '[""'])
def test_SEC_27_refusing_takes_no_longer_than_reading(piece: str) -> None:
    """A quarter of a megabyte that never closes its text: two looks at it are fine, one per quote is not."""
    started = time.process_time()
    with pytest.raises(NotJson):
        read_json('"' + piece * (262_000 // len(piece)) + "x")
    assert time.process_time() - started < 1


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_get_anything_but_a_value_or_a_refusal(document: str | bytes) -> None:
    with contextlib.suppress(NotJson):
        read_json(document)
