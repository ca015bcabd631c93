"""The bell: tells a worker to look now. What has to be done is in rows; the queue may lose everything.

Huey stays behind it. One message is a task's name and ids, as JSON, so that whoever can write to the
queue can make a worker look at a row, and nothing else.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from huey import consumer as huey_consumer
from huey.api import Huey
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import MemoryStorage, RedisStorage, SqliteStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

from authio.errors import StartupError

logger = logging.getLogger(__name__)

_AWAY = (redis.RedisError, sqlite3.Error, OSError)
_QUIET = 5.0
"""Seconds during which nobody knocks on a queue that was found away, so that requests do not wait for it."""
_POLL_FIRST, _POLL_GROWTH, _POLL_LONGEST = 0.01, 1.3, 0.08
"""How a worker looks into a queue that cannot call it: soon after work, then more rarely, in seconds."""
_STOP = 15.0


@dataclass(frozen=True)
class Task:
    """What a name stands for. ``run`` is called with its environment and the ids that were rung with.

    With ``every`` each consumer runs it at its start, without ids, and again after so many seconds.
    """

    run: Callable[..., None]
    every: float | None = None


class Bell:
    """Rings for tasks by name, and makes the consumer that answers.

    *url* is ``sqlite:///PATH``, ``redis://…`` or ``memory://``; with the last, a task runs at once, in
    the thread that rings. Bells share nothing, so several applications fit into one process.
    """

    def __init__(self, url: str) -> None:
        self._tasks: Mapping[str, Task] = {}
        self._environment: Any = None
        self._outage = _Outage()
        self._huey = _open(url)
        self._answer_later = self._huey.task(name="answer")(self._answer)

    def bind(self, tasks: Mapping[str, Task], environment: object) -> None:
        """Say what the names mean here, and what the tasks are handed. Ringing alone needs none of it."""
        self._tasks, self._environment = dict(tasks), environment

    def ring(self, task: str, *ids: str) -> bool:
        """Have *task* run soon. Never raises; False if the queue is away: the sweep finds the rows."""
        return self._put(lambda: self._answer_later(task, *ids))

    def ring_later(self, seconds: float, task: str, *ids: str) -> bool:
        """As :meth:`ring`, in *seconds* at the earliest."""
        return self._put(lambda: self._answer_later.schedule(args=(task, *ids), delay=seconds))

    def waiting(self) -> int:
        """How many rings nobody has answered yet; 0 if the queue is away."""
        try:
            return int(self._huey.storage.queue_size())
        except _AWAY:
            return 0

    def consumer(self, threads: int) -> Consumer:
        """What answers, in *threads* threads of this process, between its ``start`` and its ``stop``."""
        periodic = {name: task.every for name, task in self._tasks.items() if task.every is not None}
        return Consumer(self._huey, threads, periodic, run=self._answer, outage=self._outage)

    def _put(self, put: Callable[[], object]) -> bool:
        if self._outage.is_fresh:
            return False
        try:
            put()
        except _AWAY as error:
            self._outage.begin(error)
            return False
        self._outage.end()
        self._huey.chime.strike()
        return True

    def _answer(self, task: str, *ids: str) -> None:
        if task not in self._tasks:
            logger.error("The queue asks for a task that does not exist here; versions may be mixed.")
            return
        try:
            self._tasks[task].run(self._environment, *ids)
        except Exception:
            # The row still says what is owed. One task that fails must not take its thread with it.
            logger.exception("Task %s failed.", task)


class Consumer:
    """Worker threads, a scheduler for late rings, and a thread for periodic tasks. No signal handlers."""

    def __init__(
        self,
        huey: _Huey,
        threads: int,
        periodic: Mapping[str, float],
        *,
        run: Callable[[str], None],
        outage: _Outage,
    ) -> None:
        self._chime, self._periodic, self._run = huey.chime, periodic, run
        self._crew = _Crew(
            huey,
            workers=threads,
            periodic=False,
            initial_delay=_POLL_FIRST,
            backoff=_POLL_GROWTH,
            max_delay=_POLL_LONGEST,
            shutdown_timeout=_STOP,
        )
        for worker, _ in self._crew.worker_threads:
            worker.outage = outage
        self._ticker = threading.Thread(target=self._tick, name="periodic", daemon=True)

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._crew.start()
        self._ticker.start()

    def stop(self) -> None:
        """Take nothing new, finish what is under way, and return (after 15 seconds at the latest).

        What is not finished then is done by whoever holds the row's lease next.
        """
        self._crew.stop_flag.set()
        self._chime.strike_all()
        self._crew.stop(graceful=True)
        self._ticker.join(_STOP)

    def _tick(self) -> None:
        # Apart from the queue, so that the sweep still runs when the queue is away.
        stopping = self._crew.stop_flag
        next_run = dict.fromkeys(self._periodic, 0.0)
        while next_run and not stopping.is_set():
            task = min(next_run, key=next_run.__getitem__)
            if stopping.wait(max(0.0, next_run[task] - time.monotonic())):
                return
            self._run(task)
            next_run[task] = time.monotonic() + self._periodic[task]


class _Chime:
    """Wakes a worker thread of the same process, which else would find out at its next look."""

    def __init__(self) -> None:
        self.count = 0
        self._condition = threading.Condition()

    def strike(self) -> None:
        with self._condition:
            self.count += 1
            self._condition.notify()

    def strike_all(self) -> None:
        with self._condition:
            self.count += 1
            self._condition.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Return when it has struck since *heard* was its count, or after *seconds*."""
        with self._condition:
            if self.count == heard:
                self._condition.wait(seconds)


class _Outage:
    """Whether the queue can be reached, told once when that changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_until: float | None = None

    @property
    def is_fresh(self) -> bool:
        until = self._quiet_until
        return until is not None and time.monotonic() < until

    def begin(self, error: BaseException) -> None:
        with self._lock:
            first, self._quiet_until = self._quiet_until is None, time.monotonic() + _QUIET
        if first:
            # The error's text may hold the queue's address, and that a password.
            logger.error("The queue cannot be reached (%s). Work is late, not lost.", type(error).__name__)

    def end(self) -> None:
        if self._quiet_until is None:
            return
        with self._lock:
            over, self._quiet_until = self._quiet_until is not None, None
        if over:
            logger.info("The queue can be reached again.")


class _Huey(Huey):
    """Huey without results and revocation, which would cost three look-ups per message."""

    def __init__(self, **options: Any) -> None:
        self.chime = _Chime()
        super().__init__("authio", results=False, serializer=_JsonMessages(), **options)

    def is_revoked(self, *_: Any, **__: Any) -> bool:
        return False

    def delete(self, key: str) -> None:
        """There is nothing to delete: nothing is ever revoked."""


class _JsonMessages(Serializer):
    """Messages as JSON instead of pickles: reading a pickle runs what it says."""

    def _serialize(self, data: Message) -> bytes:
        eta = None if data.eta is None else data.eta.isoformat()
        return json.dumps([data.id, data.name, eta, list(data.args)], separators=(",", ":")).encode()

    def _deserialize(self, data: bytes) -> Message:
        match json.loads(bytes(data)):
            case [str(id_), str(name), (str() | None) as eta, [*args]] if all(
                isinstance(one, str) for one in args
            ):
                when = None if eta is None else datetime.fromisoformat(eta)
                return Message(id_, name, when, 0, 0, None, tuple(args), {})
        raise ValueError("not a message of ours")


class _RedisStorage(RedisStorage):
    """Rings in a hurry, because requests wait for that, and listens with patience."""

    def __init__(self, name: str, *, url: str) -> None:
        super().__init__(name, connection_pool=_redis_pool(url, timeout=0.5))
        self._listening = redis.Redis(connection_pool=_redis_pool(url, timeout=3.0))

    def dequeue(self) -> Any:
        # No second thoughts about an answer that does not come: unlike huey we take that for an outage.
        found = self._listening.brpop([self.queue_key], timeout=self.read_timeout)
        return None if found is None else found[1]


def _redis_pool(url: str, *, timeout: float) -> redis.ConnectionPool:
    return redis.ConnectionPool.from_url(
        url,
        socket_connect_timeout=0.5,
        socket_timeout=timeout,
        # Once more at once if the connection is gone: the server may have closed it since it was last used.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


class _Worker(huey_consumer.Worker):
    outage: _Outage

    def loop(self, now: datetime | None = None) -> None:
        """Answer one message, or wait a little for one."""
        heard = self.huey.chime.count
        try:
            task = self.huey.dequeue()
        except _AWAY as error:
            self.outage.begin(error)
            self.stop_flag.wait(1.0)
            return
        except (ValueError, TypeError, HueyException):
            logger.warning("A message in the queue could not be read and was dropped.")
            return
        self.outage.end()
        if task is not None:
            self.delay = self.default_delay
            self.huey.execute(task, now)
        elif not self.huey.storage.blocking and not self.stop_flag.is_set():
            self.huey.chime.wait(heard, self.delay)
            self.delay = min(self.delay * self.backoff, self.max_delay)


class _Crew(huey_consumer.Consumer):
    worker_class = _Worker

    def _set_signal_handlers(self) -> None:
        """Signals belong to the process, and we may be a guest in it."""


def _open(url: str) -> _Huey:
    # We report what matters ourselves, once and without addresses; huey would tell every message.
    logging.getLogger("huey").setLevel(logging.CRITICAL)
    if url == "memory://":
        return _Huey(storage_class=MemoryStorage, immediate=True)
    if url.startswith("sqlite:///"):
        try:
            return _Huey(
                storage_class=SqliteStorage,
                filename=url.removeprefix("sqlite:///"),
                # It holds no truth, so it need not wait for the disk.
                fsync=False,
                timeout=5,
                strict_fifo=True,
            )
        except sqlite3.Error:
            raise StartupError(["huey.url: the queue's file cannot be opened or written."]) from None
    return _Huey(storage_class=_RedisStorage, url=url)
