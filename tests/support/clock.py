"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import datetime, timedelta

from authio.clock import Clock


class SteppedClock(Clock):
    """Stands at the moment it was made, so that what follows from time can be said exactly."""

    def __init__(self) -> None:
        self._now = super().now()

    def now(self) -> datetime:
        return self._now

    def step(self, **amount: float) -> datetime:
        """Move by ``seconds=``, ``minutes=``, ``hours=`` or ``days=``, and return the new moment."""
        self._now += timedelta(**amount)
        return self._now
