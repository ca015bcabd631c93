"""What it was measured on: so that a number can be read a year later, on another machine."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

PACKAGES = ("pyramid", "waitress", "SQLAlchemy", "psycopg", "chameleon", "lxml", "huey")
BUSY = 0.5
"""A load average above this says that somebody else is at work here, and the numbers are theirs, too."""


def description(folder: Path) -> dict[str, Any]:
    """The machine, its software, and how long its disk takes to make a write durable."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in PACKAGES},
        "load_before": round(os.getloadavg()[0], 2),
        "fsync_ms": fsync_ms(folder),
    }


def postgresql_version(server: str) -> str:
    """The version of the PostgreSQL server at that address."""
    with psycopg.connect(server.replace("+psycopg", "")) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]).split()[0] if row else "unknown"


def fsync_ms(folder: Path) -> float:
    """The median time of writing 4 KiB and waiting until the disk has it."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 2)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
