"""Log lines: one event is one line, whatever a caller managed to get into a message."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from authio.clock import wire_time

_QUIET = ("saml2", "huey", "httpcore", "PIL", "alembic.runtime")


class OneLine(logging.Formatter):
    """Time, level, logger and message, with line breaks and control characters written out."""

    def format(self, record: logging.LogRecord) -> str:
        when = wire_time(datetime.fromtimestamp(record.created, UTC))
        line = f"{when} {record.levelname:<7} {record.name}: {escaped(record.getMessage())}"
        if record.exc_info and record.exc_info[0] is not None:
            line += " " + escaped(self.formatException(record.exc_info))
        return line


def escaped(text: str) -> str:
    """*text* with everything that could end or forge a line written out, as JSON would."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')


def configure(level: str) -> None:
    """Send this process's log to standard error. Libraries that log whole messages are capped."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
