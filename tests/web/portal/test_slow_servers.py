"""A metadata server that never answers takes the time of whoever gave its address, and nobody else's."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.server import Server, serving
from tests.support.visitor import Visited, Visitor


@pytest.fixture
def silent() -> Iterator[str]:
    """The authority of a server that takes connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield f"localhost:{listening.getsockname()[1]}"


@pytest.fixture
def server(tmp_path: Path, database_url: str, queue_url: str, silent: str) -> Iterator[Server]:
    environment = {
        "AUTHIO_DATABASE_URL": database_url,
        "AUTHIO_QUEUE_URL": queue_url,
        "AUTHIO_OUTBOUND_ALLOW": silent,
    }
    with serving(tmp_path, environment=environment) as started:
        yield started


def at_the_form(visitor: Visitor, link: str) -> Visited:
    chooser = visitor.submit(visitor.get(link), "start", it_admin_email="ada@acme.example")
    return visitor.submit(chooser, "pick", provider="okta") if chooser.name == "providers" else chooser


def test_SEC_33_a_server_that_never_answers_holds_up_only_those_who_asked_it(
    server: Server, silent: str
) -> None:
    with Visitor(server.url) as visitor, ThreadPoolExecutor(12) as pool:
        form = at_the_form(visitor, server.mint())
        started = time.monotonic()
        waiting = [
            pool.submit(visitor.submit, form, "answers", metadata_url=f"http://{silent}/{number}")
            for number in range(12)
        ]
        time.sleep(1)
        health = requests.get(f"{server.url}/health", timeout=30)
        healthy_after = time.monotonic() - started
        pages = [one.result() for one in waiting]

    assert health.status_code == 200
    assert healthy_after < 3
    assert time.monotonic() - started < 10
    assert {page.status for page in pages} == {422}
    assert all(page.html.select("[data-finding=fetch_timeout]") for page in pages)
