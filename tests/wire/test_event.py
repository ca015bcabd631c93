"""The event catalogue, patterns, and the bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from authio.wire.event import CATALOGUE, NOT_SENT_YET, event_bytes, is_subscribable, matches

# What a JavaScript engine's JSON.stringify wrote and, parsed and stringified once more, wrote again.
STRINGIFIED = json.loads((Path(__file__).parent / "stringified.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", STRINGIFIED)
def test_bytes_are_what_a_javascript_engine_would_write(name):
    text = STRINGIFIED[name]

    assert event_bytes(json.loads(text)).decode() == text


def test_keys_like_array_indexes_come_first_in_numeric_order_whatever_order_they_had():
    expected = STRINGIFIED["index_like_keys"]
    keys = json.loads(expected)["metadata"]
    indexes = [key for key in keys if key in {"0", "9", "10", "4294967294"}]
    others = [key for key in keys if key not in indexes]
    given = {key: keys[key] for key in [others[0], *reversed(indexes), *others[1:]]}

    assert event_bytes({"metadata": given}).decode() == expected


@pytest.mark.parametrize("value", [1.0, 0.5, float("inf"), 2**53, -(2**53), b"x", {1, 2}, object()])
def test_what_javascript_would_write_differently_is_refused(value):
    with pytest.raises(ValueError):
        event_bytes({"data": [{"value": value}]})


@pytest.mark.parametrize(
    ("pattern", "event_type", "expected"),
    [
        ("*", "connection.activated", True),
        ("connection.*", "connection.activated", True),
        ("connection.*", "sso.connection.created", False),
        ("sso.*", "sso.connection.created", True),
        ("connection.activated", "connection.activated", True),
        ("connection.activated", "connection.deactivated", False),
        ("organization.*", "organization_domain.created", False),
        ("connection", "connection.activated", False),
    ],
)
def test_a_pattern_covers_a_type_or_all_types_that_begin_like_it(pattern, event_type, expected):
    assert matches(pattern, event_type) is expected


@pytest.mark.parametrize(
    "pattern", ["*", "connection.*", "sso.*", "dsync.user.*", *CATALOGUE, *sorted(NOT_SENT_YET)]
)
def test_patterns_of_types_that_exist_can_be_subscribed_to(pattern):
    assert is_subscribable(pattern)


@pytest.mark.parametrize(
    "pattern", ["", ".*", "con*", "connection.", "connection", "**", "*.*", "x.*", "connection.made"]
)
def test_patterns_that_no_type_fits_cannot_be_subscribed_to(pattern):
    assert not is_subscribable(pattern)


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_types_are_dotted_and_end_in_a_past_participle(event_type):
    *noun, verb = event_type.split(".")

    assert noun
    # One of them has the name that existing clients know it by.
    assert verb.removesuffix("_out").endswith("ed")
