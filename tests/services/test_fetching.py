"""Whoever makes us wait for a slow server waits alone."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from authio.plugin import Refused
from authio.services.fetching import Lanes


def taken(lanes: Lanes, stack: ExitStack, by: str) -> bool:
    try:
        stack.enter_context(lanes.taken(by))
    except Refused as refused:
        return [finding.code for finding in refused.findings] != ["fetch_timeout"]
    return True


def test_one_organization_gets_two_lanes_and_leaves_the_rest_to_others() -> None:
    lanes = Lanes(threads=4)

    with ExitStack() as stack:
        assert [taken(lanes, stack, by) for by in ("a", "a", "a", "b", "c")] == [
            True,
            True,
            False,
            True,
            False,
        ]


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 1), (3, 2), (8, 7)])
def test_a_thread_is_always_left_for_those_who_do_not_wait(threads: int, most: int) -> None:
    lanes = Lanes(threads)

    with ExitStack() as stack:
        assert sum(taken(lanes, stack, str(number)) for number in range(20)) == most


def test_a_lane_is_given_back_whatever_happens_in_it() -> None:
    lanes = Lanes(threads=1)

    for _ in range(3):
        with pytest.raises(KeyError), lanes.taken("a"):
            raise KeyError
    with lanes.taken("b"):
        pass
