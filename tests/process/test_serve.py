"""``authio serve`` from outside: what a first start leaves behind, and what a later one finds."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
import requests

from tests.support.server import Server, serving
from tests.support.visitor import Visitor


def test_the_first_start_leaves_a_demo_project_that_only_its_owner_can_read(server: Server) -> None:
    path = server.folder / "var" / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(server.demo) >= {"project_id", "client_id", "api_key"}
    answer = requests.get(
        f"{server.url}/organizations",
        headers={"Authorization": f"Bearer {server.demo['api_key']}"},
        timeout=30,
    )
    assert answer.status_code == 200


def test_every_start_prints_a_fresh_link_that_opens(server: Server) -> None:
    server.stop()
    server.start()
    links = re.findall(rf"{re.escape(server.url)}/setup/\S+", server.log.read_text(encoding="utf-8"))
    assert len(links) == 2
    assert links[0] != links[1]
    with Visitor(server.url) as visitor:
        opened = visitor.get(links[1])
    assert (opened.status, opened.name) == (200, "entry")


def test_the_demo_project_outlives_a_restart(server: Server) -> None:
    before = server.demo
    server.stop()
    server.start()
    assert server.demo == before


def test_what_was_acknowledged_outlives_a_kill(server: Server) -> None:
    as_vendor = {"Authorization": f"Bearer {server.demo['api_key']}"}
    made = requests.post(
        f"{server.url}/organizations", json={"name": "Initech"}, headers=as_vendor, timeout=30
    ).json()
    server.kill()
    server.start()
    answer = requests.get(f"{server.url}/organizations/{made['id']}", headers=as_vendor, timeout=30)
    assert answer.json() == made


def test_being_asked_to_stop_is_a_good_end(server: Server) -> None:
    assert server.stop() == 0


def test_no_key_and_no_token_is_logged(server: Server) -> None:
    link = server.mint()
    with Visitor(server.url) as visitor:
        visitor.get(link)
    server.stop()
    log = server.log.read_text(encoding="utf-8")
    assert link.rpartition("/")[2] not in log
    assert server.demo["api_key"] not in log


def test_settings_that_cannot_work_stop_the_start_and_are_all_told(tmp_path: Path) -> None:
    server = Server(tmp_path, environment={"AUTHIO_BASE_URL": "ftp://example.com", "AUTHIO_THREADS": "many"})
    with pytest.raises(RuntimeError) as refused:
        server.start()
    assert "authio.base_url" in str(refused.value)
    assert "authio.threads" in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_two_servers_do_not_know_each_other(server: Server, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with serving(tmp_path / "other") as other:
        assert other.demo["project_id"] != server.demo["project_id"]
