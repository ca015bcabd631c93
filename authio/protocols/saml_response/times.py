"""Moments in a response: UTC only, held against the clock with a skew."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from authio.protocols.refusals import SamlRefused

OLDEST = timedelta(minutes=10)
"""Age at which a message has been under way too long."""

LONGEST_WINDOW = timedelta(hours=24)

_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,30}))?Z")


def moment(text: str) -> datetime:
    """A time as SAML writes it, ``2026-11-24T06:00:00.123Z``; anything else is refused as malformed."""
    matched = _MOMENT.fullmatch(text)
    try:
        if matched is None or not text.isascii():
            raise ValueError
        whole = datetime.fromisoformat(matched[1]).replace(tzinfo=UTC)
    except ValueError:
        raise SamlRefused("saml_malformed", because="not a time in UTC", found=text) from None
    return whole + timedelta(microseconds=int((matched[2] or "0")[:6].ljust(6, "0")))


@dataclass(frozen=True)
class Clock:
    """The moment at which a response is judged, and how far other clocks may be from it."""

    now: datetime
    skew: timedelta

    def not_early(self, begins: datetime, what: str) -> None:
        """Refuse what begins later than now, by more than the skew."""
        if begins > self.now + self.skew:
            raise self._refused("saml_not_yet_valid", begins, what)

    def not_late(self, ends: datetime, what: str) -> None:
        """Refuse what has ended, by more than the skew."""
        if ends <= self.now - self.skew:
            raise self._refused("saml_expired", ends, what)

    def fresh(self, issued: datetime, what: str) -> None:
        """Refuse what was not issued a short while ago."""
        self.not_early(issued, what)
        if issued < self.now - self.skew - OLDEST:
            raise self._refused("saml_expired", issued, what)

    def _refused(self, code: str, found: datetime, what: str) -> SamlRefused:
        return SamlRefused(code, found=_written(found), expected=f"now: {_written(self.now)}", because=what)


def _written(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
