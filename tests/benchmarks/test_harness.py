"""The benchmarks' own parts: a driver that notices, figures that add up, a walk that arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from authio.app import Runtime
from authio.db import connection_of
from authio.models import deliveries, events, setup_links
from authio.services import Services
from authio.services.pages import Cursor
from authio.settings import Settings
from benchmarks import bulk, forms, machine, report
from benchmarks.driver import Answer, Batch, Driver, UnexpectedAnswer
from benchmarks.figures import percentile, ratios, summary
from benchmarks.inprocess import InProcess
from benchmarks.metadata import IdentityProvider
from benchmarks.phases import TITLES, Walk
from benchmarks.servers import Floor, running
from tests.conftest import Project


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A driver of the floor."""
    floor = Floor(tmp_path_factory.mktemp("floor"))
    with running(floor):
        driver = Driver(floor.port)
        yield driver
        driver.close()


def test_the_driver_brings_every_answer_in_the_order_of_the_requests(driver: Driver) -> None:
    batch = driver.run([driver.request("POST", f"/{n}", json_body={"n": n}) for n in range(50)])
    assert [answer.json() for answer in batch.answers] == [{"object": "nothing"}] * 50
    assert all(0 < answer.seconds <= batch.seconds for answer in batch.answers)


def test_an_unexpected_status_ends_the_benchmark_without_showing_a_token(driver: Driver) -> None:
    with pytest.raises(UnexpectedAnswer, match="200 instead of 201") as told:
        driver.run([driver.request("GET", "/setup/apl_secret", status=201)])
    assert "secret" not in str(told.value)


def test_rates_are_medians_of_rounds_and_percentiles_are_of_requests() -> None:
    rounds = [{"mint": _batch(seconds)} for seconds in (1.0, 2.0, 4.0)]
    found = summary(rounds)["mint"]
    assert (found["slowest_round"], found["per_second"], found["fastest_round"]) == (25.0, 50.0, 100.0)
    assert (found["p50_ms"], found["p99_ms"], found["requests"]) == (20.0, 40.0, 300)
    assert ratios(rounds, rounds[::-1]) == {"mint": 1.0}


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], part) for part in (1, 50, 99, 100)] == [1.0, 2.0, 4.0, 4.0]


def test_a_form_is_sent_as_a_browser_sends_it() -> None:
    page = b"""<form data-form="other"><input name="no"></form>
      <form data-form="answers" action="/setup/connect" enctype="multipart/form-data">
        <input type="hidden" name="form_token" value="t"><textarea name="metadata_xml"></textarea>
        <input type="file" name="metadata_file"><button name="connector" value="x">X</button></form>"""
    form = forms.find(page, "answers", address="/elsewhere")
    kind, body = form.body({"metadata_xml": "<a>\n</a>"})
    assert form.action == "/setup/connect"
    assert kind.startswith("multipart/form-data; boundary=")
    assert b'name="form_token"\r\n\r\nt\r\n' in body
    assert b'name="metadata_xml"\r\n\r\n<a>\r\n</a>\r\n' in body
    assert b'name="metadata_file"; filename=""' in body
    assert b"connector" not in body
    with pytest.raises(LookupError, match="no form 'save'"):
        forms.find(page, "save", address="/setup/review")


def test_a_walk_saves_a_connection_for_each_organization(runtime: Runtime, project: Project) -> None:
    walk = Walk(
        InProcess(runtime.wsgi()), api_key=project.api_key, identity_provider=IdentityProvider(), size=2
    )
    timed = walk.all()
    assert list(timed) == list(TITLES)
    assert [len(batch.answers) for batch in timed.values()] == [2] * len(TITLES)
    assert {answer.json()["state"] for answer in timed["read"].answers} == {"active"}


def test_the_past_is_as_large_as_asked_for_and_owes_nothing(
    settings: Settings, project: Project, services: Callable[..., AbstractContextManager[Services]]
) -> None:
    bulk.load(settings.database_url, project_id=project.id, rows=1000)
    with services() as s:
        connection = connection_of(s.session)
        for table in (setup_links, events, deliveries):
            count = sa.select(sa.func.count()).select_from(table).where(table.c.project_id == project.id)
            assert connection.execute(count).scalar_one() == 1000
        assert s.webhooks.due(10) == {}
        newest_first = s.setup_links.page(project.id, Cursor(limit=10))
        assert [link.state for link in newest_first.rows] == ["consumed"] * 10
        listed = s.events.page(project.id, types=["connection.*"], limit=10)
        assert [row.type for row in listed.rows] == ["connection.activated"] * 10


def test_a_missed_target_is_told_in_the_page_and_the_rest_of_it_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(page, _results(memory=161, start=2.4))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| memory of web and worker, SQLite | < 160 MB | 161 | **missed** |" in text
    assert "| start to first answer, SQLite | < 2.5 s | 2.4 | met |" in text


def test_a_page_without_a_place_for_figures_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("nothing measured here")
    with pytest.raises(ValueError, match="has no place"):
        report.write(page, _results(memory=1, start=1.0))
    assert page.read_text() == "nothing measured here"


def _results(*, memory: int, start: float) -> dict[str, Any]:
    figures = summary([{phase: _batch(1.0) for phase in TITLES}])
    database = {"phases": figures, "memory_mb": memory, "start_seconds": start}
    return {
        "machine": machine.description(Path()),
        "rounds": 1,
        "size_of_round": 100,
        "speed": {"floor": figures["mint"], "databases": {"sqlite": database}, "peer": {}},
    }


def _batch(seconds: float) -> Batch:
    return Batch([Answer(200, b"", b"", seconds / 100)] * 100, seconds)
