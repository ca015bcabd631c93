"""``python -m benchmarks``: measure, print tables, and keep the figures under var/bench/."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.driver import UnexpectedAnswer
from benchmarks.measure import Bench, pin_driver
from benchmarks.servers import DRIVER_CORE, ROOT, install_peer

FOLDER = ROOT / "var" / "bench"
PAGE = ROOT / "docs" / "performance.md"
PARTS = ("speed", "signin", "size", "where")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 1 if a server answered with something unexpected; a missed target is told, not punished."""
    arguments = _parser().parse_args(argv)
    latest = FOLDER / "latest.json"
    if arguments.write_docs:
        report.write(PAGE, json.loads(latest.read_text(encoding="utf-8")))
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        results = _measure(arguments)
    except UnexpectedAnswer as problem:
        print(f"benchmark: {problem}", file=sys.stderr)
        return 1
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    stamped = FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    for path in (stamped, latest):
        path.write_text(text, encoding="utf-8")
    print(f"\n{report.markdown(results)}\n\nFigures: {stamped.relative_to(ROOT)}", flush=True)
    return 0


def _measure(arguments: argparse.Namespace) -> dict[str, Any]:
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("benchmark: server and driver need a core each; this machine has one.")
    pin_driver(DRIVER_CORE)
    results: dict[str, Any] = {"rounds": arguments.rounds, "size_of_round": arguments.size}
    results["machine"] = machine.description(FOLDER)
    if results["machine"]["load_before"] > machine.BUSY:
        print("benchmark: somebody else is at work on this machine; the numbers will be noisy.", flush=True)
    postgresql = os.environ.get("AUTHIO_TEST_DATABASE")
    if postgresql:
        results["machine"]["postgresql"] = machine.postgresql_version(postgresql)
    else:
        print("benchmark: without PostgreSQL; `make bench` brings it along where it can.", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=FOLDER))
    bench = Bench(
        folder,
        postgresql=postgresql,
        redis=os.environ.get("AUTHIO_TEST_QUEUE"),
        rounds=arguments.rounds,
        size=arguments.size,
    )
    with_peer = os.environ.get("PEER", "") not in {"", "0"}
    if with_peer:
        results["peer_version"] = install_peer()
    measured = {
        "speed": lambda: bench.speed(with_peer=with_peer),
        "signin": lambda: bench.sign_in(with_peer=with_peer),
        "size": lambda: bench.size(arguments.rows),
        "where": bench.where,
    }
    for part in arguments.only or PARTS:
        print(f"{part}:", flush=True)
        results[part] = measured[part]()
    # The databases of a run are large and of no further use. Of one that failed, the logs say why.
    shutil.rmtree(folder)
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds after the one that warms up (default: 5)"
    )
    parser.add_argument("--size", type=int, default=150, help="set-ups in a round (default: 150)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each kind for the size part")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone (may be repeated)")
    parser.add_argument("--write-docs", action="store_true", help="write the latest figures into the docs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
