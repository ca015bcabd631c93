"""A slow receiver holds up its own deliveries, and nobody else's."""

from __future__ import annotations

from authio.tasks.lines import SLOW_SECONDS, Lines


def drained(lines: Lines, endpoint: str) -> list[str]:
    found = []
    while (delivery := lines.next(endpoint)) is not None:
        found.append(delivery)
    return found


def test_a_line_is_served_in_order_and_whoever_serves_it_takes_what_comes_meanwhile() -> None:
    lines = Lines(threads=2)

    assert lines.join("a", ["1", "2"])
    assert not lines.join("a", ["3"])
    assert drained(lines, "a") == ["1", "2", "3"]
    assert lines.join("a", ["4"])


def test_half_of_the_threads_serve_one_endpoint_at_most() -> None:
    lines = Lines(threads=4)

    assert [lines.join(endpoint, ["1"]) for endpoint in ("a", "a", "a", "b")] == [True, True, False, True]


def slow(lines: Lines, endpoint: str) -> None:
    """Let one delivery to *endpoint* take long, and nothing be left in its line."""
    assert lines.join(endpoint, ["1"])
    assert lines.next(endpoint) == "1"
    if lines.served(endpoint, SLOW_SECONDS):
        assert lines.next(endpoint) is None


def test_SEC_105_a_slow_endpoint_is_served_by_one_thread_which_goes_on() -> None:
    lines = Lines(threads=4)
    lines.join("a", ["1", "2", "3"])
    lines.join("a", ["4"])
    lines.next("a")
    lines.next("a")

    assert not lines.served("a", SLOW_SECONDS)
    assert lines.served("a", SLOW_SECONDS)
    assert not lines.join("a", ["5"])
    assert drained(lines, "a") == ["3", "4", "5"]


def test_SEC_105_slow_endpoints_never_have_all_the_threads() -> None:
    lines = Lines(threads=4)
    for endpoint in "abcde":
        slow(lines, endpoint)

    assert [lines.join(endpoint, ["2"]) for endpoint in "aabcde"] == [True, False, True, True, False, False]
    assert lines.join("quick", ["1"])


def test_SEC_105_endpoints_that_turn_out_slow_together_give_a_thread_back() -> None:
    lines = Lines(threads=4)
    for endpoint in "abcd":
        lines.join(endpoint, ["1", "2"])
        lines.next(endpoint)

    assert [lines.served(endpoint, SLOW_SECONDS) for endpoint in "abcd"] == [True, True, True, False]


def test_SEC_105_a_slow_line_makes_room_for_one_that_was_turned_away() -> None:
    lines = Lines(threads=2)
    slow(lines, "a")
    slow(lines, "b")
    lines.join("a", ["1", "2"])
    lines.next("a")
    assert not lines.join("b", ["1"])

    assert not lines.served("a", SLOW_SECONDS)
    assert lines.join("b", ["1"])


def test_an_endpoint_that_is_quick_again_is_no_longer_slow() -> None:
    lines = Lines(threads=4)
    slow(lines, "a")

    lines.join("a", ["2"])
    lines.next("a")

    assert lines.served("a", 0.1)
    assert lines.join("a", ["3"])
    assert drained(lines, "a") == ["3"]
