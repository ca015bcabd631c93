"""SEC-116: how often somebody may ask, counted in memory or in Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from webtest import TestApp

from authio.errors import TooManyRequests
from authio.rates import Limiter, Rate

AWAY = "redis://127.0.0.1:1/0"


def allowed(limiter: Limiter, name: str = "api", key: str = "key", *, most: int = 50) -> int:
    """How many acts go through before one is refused."""
    for number in range(most):
        try:
            limiter.hit(name, key)
        except TooManyRequests:
            return number
    return most


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Time stands still for the counting in memory, until it is moved by so many seconds."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("authio.rates.time.time", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


class TestTheApi:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.rate_limit.api": "3"}

    def test_SEC_116_one_request_too_many_is_429_and_says_when_to_come_back(
        self, api: TestApp, services: Any, project: Any
    ) -> None:
        for _ in range(3):
            api.get("/organizations", status=200)

        refused = api.get("/organizations", status=429)

        assert refused.json["code"] == "rate_limit_exceeded"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        with services() as s:
            _, other = s.projects.add_key(project.id)
        api.get("/organizations", headers={"Authorization": f"Bearer {other}"}, status=200)

    def test_SEC_116_who_has_no_key_uses_up_nobody_s_rate(self, api: TestApp) -> None:
        for _ in range(10):
            api.get("/organizations", headers={"Authorization": "Bearer sk_nonsense"}, status=401)

        api.get("/organizations", status=200)


def test_a_window_ends_after_its_time_all_at_once(frozen: Callable[[float], None]) -> None:
    limiter = Limiter("sqlite:///unused", {"api": Rate(3, 60)})

    assert allowed(limiter) == 3
    frozen(59.9)
    assert allowed(limiter) == 0
    frozen(0.2)
    assert allowed(limiter) == 3


def test_the_wait_is_a_whole_number_of_seconds(frozen: Callable[[float], None]) -> None:
    limiter = Limiter("memory://", {"api": Rate(1, 3600)})
    limiter.hit("api", "key")
    frozen(10.5)

    with pytest.raises(TooManyRequests) as refused:
        limiter.hit("api", "key")

    assert refused.value.headers == {"Retry-After": "3590"}


def test_names_and_keys_are_counted_apart() -> None:
    limiter = Limiter("memory://", {"api": Rate(1, 60), "portal": Rate(2, 60)})

    assert [allowed(limiter, "api", "a"), allowed(limiter, "api", "b"), allowed(limiter, "portal", "a")] == [
        1,
        1,
        2,
    ]


def test_many_threads_are_counted_together() -> None:
    limiter = Limiter("memory://", {"api": Rate(100, 60)})
    counts: list[int] = []

    threads = [threading.Thread(target=lambda: counts.append(allowed(limiter))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 100


def test_windows_that_have_ended_are_forgotten(
    frozen: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that tries once and never again must not stay in memory."""
    monkeypatch.setattr("authio.rates._FIRST_TIDY", 10)
    limiter = Limiter("memory://", {"unknown_tokens": Rate(30, 60)})

    for number in range(1000):
        limiter.hit("unknown_tokens", f"address {number}")
        frozen(1)

    assert len(limiter._local.storage._windows) < 200


def test_SEC_116_while_redis_is_away_this_process_counts_alone_and_more_strictly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limiter = Limiter(AWAY, {"api": Rate(20, 60), "link_requests": Rate(3, 3600)})

    assert allowed(limiter) == 5
    assert allowed(limiter, "link_requests") == 1
    assert len(caplog.records) == 1
    assert "127.0.0.1" not in caplog.text


def test_SEC_116_processes_count_together_where_the_queue_is_redis(queue_url: str) -> None:
    key = uuid4().hex
    limiters = [Limiter(queue_url, {"api": Rate(10, 5)}) for _ in range(2)]
    for number in range(10):
        limiters[number % 2].hit("api", key)

    together = queue_url.startswith("redis")
    assert [allowed(limiter, key=key) for limiter in limiters] == ([0, 0] if together else [5, 5])


@pytest.mark.parametrize(
    ("one", "another", "are_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("no:address", "no:address of anybody", False),
    ],
)
def test_SEC_116_an_address_counts_as_the_network_of_whoever_has_it(
    one: str, another: str, are_one: bool
) -> None:
    limiter = Limiter("memory://", {"sso": Rate(3, 60)})

    assert allowed(limiter, "sso", one) == 3
    assert allowed(limiter, "sso", another) == (0 if are_one else 3)
