"""The only source of time. Everything that asks what time it is gets a clock handed in."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """The present moment in UTC, cut to milliseconds, the precision the wire and the rows have."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def wire_time(moment: datetime) -> str:
    """RFC 3339 in UTC with exactly three fractional digits and ``Z``, as every SDK can read."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
