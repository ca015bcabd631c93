"""What one process is made of, put together from its settings; web, worker and commands share it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyramid.config import Configurator

from authio.clock import Clock
from authio.crypto import Vault
from authio.db import Database
from authio.outbound import Outbound
from authio.plugin import loader
from authio.queue import Bell
from authio.rates import Limiter, rates_of
from authio.services import Parts, Services
from authio.services.actor import SYSTEM, Actor
from authio.services.fetching import Lanes
from authio.settings import Settings
from authio.tasks import TASKS, Environment

log = logging.getLogger(__name__)


class Runtime:
    """Everything that lives as long as the process.

    Raises StartupError if a plugin, the database's durability or a setting forbids the start.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.database = Database(
            settings.database_url, pool_size=settings.threads + settings.worker_threads + 2
        )
        self.outbound = Outbound(allow=settings.outbound_allow)
        self.lanes = Lanes(settings.threads)
        self.limiter = Limiter(settings.queue_url, rates_of(settings))
        self.parts = Parts(
            settings=settings,
            clock=clock or Clock(),
            vault=Vault(settings.master_keys),
            plugins=loader.load(settings.blocked_plugins),
            bell=Bell(settings.queue_url),
        )
        self.parts.bell.bind(TASKS, Environment(self.begin, self.outbound, self.parts.clock, settings))

    @contextmanager
    def begin(self, *, write: bool = True, actor: Actor = SYSTEM) -> Iterator[Services]:
        """Services over one explicit transaction."""
        with self.database.begin(write=write) as session:
            yield Services(session, self.parts, actor)

    def wsgi(self) -> Any:
        """The WSGI application, over a database that keeps what it acknowledges."""
        self.database.check_durability(allow_weak=self.settings.weak_durability)
        told = (f"{key} = {value}" for key, value in self.settings.described().items())
        log.info("settings that differ from the defaults: %s", ", ".join(told))
        config = Configurator(
            settings={"retry.attempts": 3, "tm.manager_hook": "pyramid_tm.explicit_manager"}
        )
        config.registry.runtime = self
        config.include("pyramid_chameleon")
        config.include("pyramid_retry")
        config.include("authio.views")
        self.parts.plugins.configure(config)
        return config.make_wsgi_app()

    def close(self) -> None:
        """Let go of the database."""
        self.database.dispose()
