"""Commands that run things: ``serve``, ``worker``, ``migrate``."""

from __future__ import annotations

import argparse
import logging
import signal
import threading

from authio import crypto, logs, migrations
from authio.app import Runtime
from authio.db import Database
from authio.scripts import demo, ini
from authio.server import Server
from authio.settings import Settings

log = logging.getLogger(__name__)


def serve(arguments: argparse.Namespace) -> None:
    """Web and worker in one process, migrating first where the settings allow it."""
    demo.prepare(ini.read(arguments.ini))
    settings = ini.load(arguments.ini, **({"AUTHIO_LISTEN": arguments.listen} if arguments.listen else {}))
    logs.configure(settings.log_level)
    _ready(settings)
    runtime = Runtime(settings)
    application = runtime.wsgi()
    server = Server(
        application, listen=settings.listen, threads=settings.threads, trusted_proxy=settings.trusted_proxy
    )
    consumer = runtime.parts.bell.consumer(settings.worker_threads)
    consumer.start()
    if settings.demo:
        demo.greet(runtime)
    server.run()
    consumer.stop()
    runtime.close()


def worker(arguments: argparse.Namespace) -> None:
    """The worker alone, until SIGTERM or SIGINT; what is in flight is finished."""
    settings = ini.load(arguments.ini)
    logs.configure(settings.log_level)
    _ready(settings)
    runtime = Runtime(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    consumer = runtime.parts.bell.consumer(settings.worker_threads)
    consumer.start()
    log.info("the worker is at work, with %d threads", settings.worker_threads)
    stopping.wait()
    consumer.stop()
    runtime.close()
    log.info("the worker has stopped")


def migrate(arguments: argparse.Namespace) -> None:
    """Bring the database to the newest schema."""
    database = Database(ini.load(arguments.ini).database_url)
    changed = migrations.migrate(database.engine)
    print(
        f"authio: the schema is at {migrations.current(database.engine)}{' now' if changed else ' already'}."
    )
    database.dispose()


def new_master_key(arguments: argparse.Namespace) -> None:
    """Print a fresh master key, in the form the setting takes."""
    print(crypto.new_master_keys())


def _ready(settings: Settings) -> None:
    """Migrate, or refuse to run against a schema that this code was not written for."""
    database = Database(settings.database_url)
    try:
        if settings.migrate_on_start:
            migrations.migrate(database.engine)
        else:
            migrations.require(database.engine)
    finally:
        database.dispose()
