"""Identifiers sort by time, and times are written one way."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from authio.clock import Clock, wire_time
from authio.errors import CODES, AuthioError, NotFound
from authio.ids import PREFIXES, is_id, new_id, ulid_of, with_ulid


def test_ids_of_later_milliseconds_sort_later() -> None:
    earlier = new_id("event")
    time.sleep(0.002)

    assert earlier < new_id("event")


def test_an_id_is_its_prefix_and_a_ulid() -> None:
    made = new_id("organization_domain")

    assert made.startswith("org_domain_")
    assert len(ulid_of(made)) == 26
    assert with_ulid("organization_domain", ulid_of(made)) == made
    assert is_id("organization_domain", made)
    assert not is_id("organization", made)


@pytest.mark.parametrize(
    "text", ["", "x", "01jc8z6v4k2s0000000000000a", "01JC8Z6V4K2S0000000000000I", "1" * 27, "1" * 26 + "\n"]
)
def test_what_is_no_ulid_names_nothing(text: str) -> None:
    assert with_ulid("connection", text) is None


def test_no_two_nouns_share_a_prefix() -> None:
    assert len(set(PREFIXES.values())) == len(PREFIXES)


def test_times_on_the_wire_are_utc_with_three_digits() -> None:
    assert wire_time(datetime(2026, 1, 15, 12, 0, tzinfo=UTC)) == "2026-01-15T12:00:00.000Z"
    east = timezone(timedelta(hours=2))
    assert wire_time(datetime(2026, 1, 15, 12, 0, 0, 999999, tzinfo=east)) == "2026-01-15T10:00:00.999Z"


def test_the_clock_is_utc_and_cut_to_milliseconds() -> None:
    now = Clock().now()

    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_an_error_is_answered_with_the_status_of_its_code() -> None:
    assert NotFound("token_unknown").status == CODES["token_unknown"].status
    with pytest.raises(TypeError):
        NotFound("token_consumed")


def test_every_status_in_the_table_has_a_class() -> None:
    statuses = {kind.status for kind in AuthioError.__subclasses__()}

    assert {code.status for code in CODES.values()} == statuses
