"""The bell: what it carries, that it never raises, and that a worker hears it."""

from __future__ import annotations

import logging
import pickle
import socket
import threading
import time

import pytest

from authio.errors import StartupError
from authio.queue import Bell, Task


class Calls:
    """What tasks were called with; a test waits for it."""

    def __init__(self) -> None:
        self.made: list[tuple[object, ...]] = []
        self._made = threading.Condition()

    def __call__(self, *arguments: object) -> None:
        with self._made:
            self.made.append(arguments)
            self._made.notify_all()

    def wait_for(self, count: int, *, timeout: float = 10.0) -> list[tuple[object, ...]]:
        with self._made:
            assert self._made.wait_for(lambda: len(self.made) >= count, timeout), self.made
            return list(self.made)


@pytest.fixture
def calls():
    return Calls()


@pytest.fixture
def bell(queue_url, calls):
    bell = Bell(queue_url)
    bell.bind({"call": Task(calls)}, "environment")
    return bell


@pytest.fixture
def consuming(bell):
    consumer = bell.consumer(2)
    consumer.start()
    yield
    consumer.stop()


def test_a_ring_is_heard_with_its_ids_and_the_environment(bell, calls, consuming):
    assert bell.ring("call", "one", "two") is True

    assert calls.wait_for(1) == [("environment", "one", "two")]


def test_a_worker_elsewhere_hears_a_ring_of_another_process(queue_url, calls, consuming):
    Bell(queue_url).ring("call", "one")

    calls.wait_for(1)


def test_rings_wait_until_somebody_answers(queue_url, bell, calls):
    for number in range(3):
        bell.ring("call", str(number))
    assert bell.waiting() == 3

    consumer = bell.consumer(1)
    consumer.start()
    calls.wait_for(3)
    consumer.stop()

    assert [ids for _, *ids in calls.made] == [["0"], ["1"], ["2"]]
    assert bell.waiting() == 0


def test_a_late_ring_is_heard_late(bell, calls, consuming):
    began = time.monotonic()
    bell.ring_later(1.0, "call", "late")

    calls.wait_for(1)

    assert time.monotonic() - began >= 1.0


def test_a_task_that_raises_does_not_take_its_worker_with_it(queue_url, calls, caplog):
    def fail(environment, *ids):
        raise RuntimeError("broken")

    bell = Bell(queue_url)
    bell.bind({"fail": Task(fail), "call": Task(calls)}, None)
    consumer = bell.consumer(1)
    consumer.start()
    for name in ("fail", "nobody", "call"):
        bell.ring(name)
    calls.wait_for(1)
    consumer.stop()

    assert "Task fail failed." in caplog.text
    assert "does not exist here" in caplog.text


def test_stop_finishes_what_is_under_way_and_starts_nothing_new(queue_url):
    started, release, finished = threading.Event(), threading.Event(), []

    def work(environment, number):
        started.set()
        release.wait(10)
        finished.append(number)

    bell = Bell(queue_url)
    bell.bind({"work": Task(work)}, None)
    consumer = bell.consumer(1)
    consumer.start()
    bell.ring("work", "first")
    assert started.wait(10)
    bell.ring("work", "second")
    stopping = threading.Thread(target=consumer.stop)
    stopping.start()
    time.sleep(0.2)
    assert stopping.is_alive()
    release.set()
    stopping.join(10)

    assert finished == ["first"]
    assert bell.waiting() == 1


def test_periodic_tasks_run_at_the_start_and_again_even_if_one_of_them_fails(queue_url, calls):
    def fail(environment):
        raise RuntimeError("broken")

    bell = Bell(queue_url)
    bell.bind({"fail": Task(fail, every=0.02), "call": Task(calls, every=0.1)}, "environment")
    consumer = bell.consumer(1)
    began = time.monotonic()
    consumer.start()
    calls.wait_for(3)
    took = time.monotonic() - began
    consumer.stop()

    assert calls.made[:3] == [("environment",)] * 3
    assert took >= 0.2


def test_what_is_not_a_message_of_ours_is_dropped_and_never_run(bell, queue_url, calls, caplog, tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    storage = bell._huey.storage
    for message in (pickle.dumps(Harm()), b"", b"{}", b"[1,2]", b'["id","os.system",null,["call"]]', b"\xff"):
        storage.enqueue(message)
    bell.ring("call", "after")
    consumer = bell.consumer(1)
    consumer.start()
    calls.wait_for(1)
    consumer.stop()

    assert not (tmp_path / "harm").exists()
    assert calls.made == [("environment", "after")]
    assert caplog.text.count("could not be read and was dropped") == 6


def test_a_message_holds_a_name_and_ids_and_nothing_else(bell):
    bell.ring("call", "dlv_1")

    [message] = bell._huey.storage.enqueued_items()

    identifier = message.split(b'"')[1].decode()
    assert message.decode() == f'["{identifier}","authio.queue.answer",null,["call","dlv_1"]]'


def test_in_memory_a_task_runs_at_once(calls):
    bell = Bell("memory://")
    bell.bind({"call": Task(calls)}, "environment")

    assert bell.ring("call", "one")

    assert calls.made == [("environment", "one")]


def test_bells_of_one_process_share_nothing(calls):
    first, second = Bell("memory://"), Bell("memory://")
    first.bind({"call": Task(calls)}, "first")
    second.bind({"call": Task(calls)}, "second")

    first.ring("call")

    assert calls.made == [("first",)]


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_SEC_124_a_queue_that_is_away_is_told_once_costs_no_time_and_raises_nothing(closed_port, caplog):
    bell = Bell(f"redis://:s3cret@127.0.0.1:{closed_port}/0")
    began = time.monotonic()

    with caplog.at_level(logging.INFO):
        rung = [bell.ring("call", "one") for _ in range(50)]

    assert rung == [False] * 50
    assert bell.waiting() == 0
    assert time.monotonic() - began < 1.0
    assert len(caplog.records) == 1
    assert "s3cret" not in caplog.text
    assert str(closed_port) not in caplog.text


def test_SEC_124_a_queue_that_hangs_delays_one_ring_and_not_the_others(calls):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bell = Bell(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()

        rung = [bell.ring("call", "one") for _ in range(20)]

        assert rung == [False] * 20
        assert time.monotonic() - began < 2.5


def test_SEC_124_periodic_tasks_run_while_the_queue_is_away(closed_port, calls):
    bell = Bell(f"redis://127.0.0.1:{closed_port}/0")
    bell.bind({"call": Task(calls, every=0.05)}, "environment")
    consumer = bell.consumer(2)
    consumer.start()
    try:
        calls.wait_for(2)
    finally:
        consumer.stop()


def test_a_queue_file_that_cannot_be_opened_forbids_the_start(tmp_path):
    with pytest.raises(StartupError, match=r"huey\.url"):
        Bell(f"sqlite:///{tmp_path / 'missing' / 'queue.sqlite'}")
