"""Settings, database, application, services, clock, project. Everything commits for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.clock import SteppedClock
from tests.support.databases import OWNER, Databases, databases, redis_database
from tests.support.receiver import Receiver
from tests.support.server import Server, serving

if TYPE_CHECKING:
    from webtest import TestApp

    from authio.app import Runtime
    from authio.services import Services
    from authio.settings import Settings

# The made-up provider has tests of its own; they run where it is installed (tests/wheels).
collect_ignore = ["support"]

BASE_URL = "http://localhost:6543"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what has a database or a queue, so that `make test` can run just that on the other kinds."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "database_url" in fixtures:
            item.add_marker(pytest.mark.database)
        if "queue_url" in fixtures:
            item.add_marker(pytest.mark.queue)


# -- places --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with databases(tmp_path_factory.mktemp("databases"), _migrate) as made:
        yield made


def _migrate(url: str) -> None:
    from authio.db import Database
    from authio.migrations import migrate

    database = Database(url)
    try:
        migrate(database.engine)
    finally:
        database.dispose()


@pytest.fixture
def database_url(_databases: Databases, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of this test's own: SQLite, or PostgreSQL with AUTHIO_TEST_DATABASE."""
    folder = tmp_path / "var"  # where a server over this folder keeps its own files, too
    folder.mkdir()
    url = _databases.fresh(folder)
    yield url
    _databases.drop(url)


@pytest.fixture(scope="session")
def _redis_url() -> Iterator[str | None]:
    server = environ.get("AUTHIO_TEST_QUEUE")
    if server is None:
        yield None
    else:
        with redis_database(server) as url:
            yield url


@pytest.fixture
def queue_url(_redis_url: str | None, tmp_path: Path) -> Iterator[str]:
    """An empty queue: a SQLite file, or Redis with AUTHIO_TEST_QUEUE. Nobody answers it but ``worker``."""
    if _redis_url is None:
        yield f"sqlite:///{tmp_path / 'queue.sqlite'}"
    else:
        import redis

        yield _redis_url
        with redis.Redis.from_url(_redis_url) as client:
            # Rates are counted here as well, and a test starts with none.
            for key in client.scan_iter():
                if key != OWNER.encode():
                    client.delete(key)


# -- the application, in this process ------------------------------------------------------------------


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that stands still until ``clock.step(minutes=5)``."""
    return SteppedClock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A listening HTTP server that remembers what it is sent; ``settings`` lets webhooks reach it."""
    with Receiver() as listening:
        yield listening


@pytest.fixture
def ini() -> dict[str, str]:
    """More ini keys for this test. Override it in a class or module to set some."""
    return {}


@pytest.fixture
def settings(database_url: str, queue_url: str, ini: dict[str, str]) -> Settings:
    """The settings of one process over this test's database and queue."""
    from authio.crypto import new_master_keys
    from authio.settings import Settings

    keys = {
        "sqlalchemy.url": database_url,
        "huey.url": queue_url,
        "authio.base_url": BASE_URL,
        "authio.plain_http_cookies": "true",
        "authio.master_keys": new_master_keys(),
    }
    return Settings.load({**keys, **ini}, {})


@pytest.fixture
def start(clock: SteppedClock) -> Iterator[Callable[[Settings], Runtime]]:
    """Start one more process over given settings: for tests about several, or about a restart."""
    from authio.app import Runtime

    running: list[Runtime] = []

    def start_one(settings: Settings) -> Runtime:
        running.append(Runtime(settings, clock=clock))
        return running[-1]

    yield start_one
    for runtime in running:
        runtime.close()


@pytest.fixture
def runtime(start: Callable[[Settings], Runtime], settings: Settings) -> Runtime:
    """What one process is made of."""
    return start(settings)


@pytest.fixture
def services(runtime: Runtime) -> Callable[..., AbstractContextManager[Services]]:
    """``with services() as s:`` is one transaction, committed when the block ends (``write=False``: read)."""
    return runtime.begin


@pytest.fixture
def worker(runtime: Runtime) -> Iterator[None]:
    """A worker that answers the queue while the test runs."""
    consumer = runtime.parts.bell.consumer(2)
    consumer.start()
    yield
    consumer.stop()


@pytest.fixture
def app(runtime: Runtime) -> TestApp:
    """The application as a browser meets it: WSGI, cookies kept, no credential."""
    return _test_app(runtime)


@pytest.fixture
def api(runtime: Runtime, project: Project) -> TestApp:
    """The application as the backend of ``project`` meets it: with its API key."""
    made = _test_app(runtime)
    made.authorization = ("Bearer", project.api_key)
    return made


def _test_app(runtime: Runtime) -> TestApp:
    from webtest import TestApp

    environment = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": BASE_URL.partition("//")[2]}
    return TestApp(runtime.wsgi(), extra_environ=environment)


# -- rows ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Project:
    """A project and the key its backend has."""

    id: str
    client_id: str
    api_key: str


@pytest.fixture
def project(services: Callable[..., AbstractContextManager[Services]]) -> Project:
    """A project with an API key."""
    with services() as s:
        row = s.projects.create("Sample")
        _, key = s.projects.add_key(row.id)
    return Project(row.id, row.client_id, key)


@pytest.fixture
def organization(api: Any) -> dict[str, Any]:
    """An organization of ``project``, as the API shows it."""
    made: dict[str, Any] = api.post_json("/organizations", {"name": "Acme"}, status=201).json
    return made


# -- the application, as a process of its own ----------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, database_url: str, queue_url: str) -> Iterator[Server]:
    """A real server process, started, over this test's database and queue."""
    environment = {"AUTHIO_DATABASE_URL": database_url, "AUTHIO_QUEUE_URL": queue_url}
    with serving(tmp_path, environment=environment) as started:
        yield started
