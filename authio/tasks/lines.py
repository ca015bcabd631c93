"""Which of a worker's threads serves which endpoint: a slow receiver holds up its own deliveries alone."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence

SLOW_SECONDS = 2.0
"""A receiver that takes longer for one delivery is slow until it has been quicker again."""


class Lines:
    """A line of deliveries for each endpoint, in memory; what is not served from here the sweep finds.

    At most half of *threads* serve one endpoint. A slow one is served by a single thread, and there is always
    a thread that serves none of those.
    """

    def __init__(self, threads: int) -> None:
        self._most_of_one, self._most_slow = max(1, threads // 2), max(1, threads - 1)
        self._lock = threading.Lock()
        self._lines: dict[str, deque[str]] = {}
        self._serving: Counter[str] = Counter()
        self._slow: set[str] = set()
        self._turned_away = False

    def join(self, endpoint_id: str, delivery_ids: Sequence[str]) -> bool:
        """Put deliveries into the endpoint's line; whether the caller is to serve it."""
        with self._lock:
            is_slow, serving = endpoint_id in self._slow, self._serving[endpoint_id]
            if is_slow and not serving and self._slow_threads() >= self._most_slow:
                self._turned_away = True
                return False
            self._lines.setdefault(endpoint_id, deque()).extend(delivery_ids)
            if serving >= (1 if is_slow else self._most_of_one):
                return False
            self._serving[endpoint_id] += 1
            return True

    def next(self, endpoint_id: str) -> str | None:
        """The next delivery for whoever serves this line; None when the serving is over."""
        with self._lock:
            line = self._lines.get(endpoint_id)
            if line:
                return line.popleft()
            self._leave(endpoint_id)
            return None

    def served(self, endpoint_id: str, seconds: float) -> bool:
        """Note how long one delivery took; whether to go on serving this line.

        A slow line is left when another thread serves it too, when it takes more threads than slow ones may
        have, or when another slow one was turned away: then each gets its chance from the sweep.
        """
        with self._lock:
            if seconds < SLOW_SECONDS:
                self._slow.discard(endpoint_id)
                return True
            self._slow.add(endpoint_id)
            stays = self._serving[endpoint_id] == 1 and self._slow_threads() <= self._most_slow
            if stays and not self._turned_away:
                return True
            self._turned_away = False
            self._leave(endpoint_id)
            return False

    def _slow_threads(self) -> int:
        return sum(self._serving[endpoint_id] for endpoint_id in self._slow)

    def _leave(self, endpoint_id: str) -> None:
        self._serving[endpoint_id] -= 1
        if not self._serving[endpoint_id]:
            del self._serving[endpoint_id]
            self._lines.pop(endpoint_id, None)
