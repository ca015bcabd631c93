"""The wiring page: what is true of every service, whichever it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from authio.services import Services


def test_whoever_waits_for_the_database_keeps_nobody_else_out(
    services: Callable[..., AbstractContextManager[Services]],
) -> None:
    """On SQLite the second writer waits, and the first one must be able to go on meanwhile."""
    done: list[float] = []

    def write_second() -> None:
        with services() as second:
            second.setup_links  # noqa: B018 - asking for it begins the transaction, which has to wait
            done.append(time.monotonic())

    with services() as first:
        first.projects.create("First")
        waiting = threading.Thread(target=write_second)
        waiting.start()
        time.sleep(0.3)
        began = time.monotonic()
        first.setup_links.expire_due()
        ended = time.monotonic()
    waiting.join()
    assert ended - began < 2
    assert len(done) == 1
