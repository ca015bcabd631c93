"""`make test`: the whole suite, part by part, with what each part needs.

Every part is one run of pytest. A part whose services cannot be had here is left out, and the last lines say
which and why; with CI=true that is a failure. So is a test that was skipped, and a part that ran no test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from tools.services import Services, provided

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "var" / "test-reports"

SERVICE_NAMES = {
    "postgresql": "PostgreSQL",
    "redis": "Redis",
    "chromium": "Chromium",
    "simplesamlphp": "SimpleSAMLphp",
    "oidc_provider": "oidc-provider",
}


@dataclass(frozen=True)
class Part:
    """One run of pytest: where its tests are, and which services it cannot do without."""

    name: str
    title: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    parallel: bool = True


def parts() -> tuple[Part, ...]:
    """The parts in the order in which they run: what fails soonest and cheapest comes first."""
    providers = tuple(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("plugins/*/tests")))
    alone = ("tests/browser", "tests/peers", "tests/wheels")
    return (
        Part(
            "core",
            "units, and functional tests on SQLite",
            ("tests", *(f"--ignore={path}" for path in alone)),
        ),
        Part("providers", "each provider in place", providers),
        Part(
            "postgresql",
            "functional tests on PostgreSQL, the queue on Redis",
            ("tests", *(f"--ignore={path}" for path in alone), "-m", "database or queue"),
            needs=("postgresql", "redis"),
        ),
        Part(
            "wheels",
            "built and installed as wheels, each provider tested there",
            ("tests/wheels",),
            parallel=False,
        ),
        Part(
            "peers",
            "people signed in by identity providers that others wrote",
            ("tests/peers",),
            needs=("simplesamlphp", "oidc_provider"),
            parallel=False,  # both providers are single processes, and are set up anew for each test
        ),
        Part("browser", "a real browser through the portal", ("tests/browser",), needs=("chromium",)),
    )


SELECTIONS = {
    "all": ("core", "providers", "postgresql", "wheels", "peers", "browser"),
    "fast": ("core", "providers"),
    "postgresql": ("postgresql",),
    "wheels": ("wheels",),
    "peers": ("peers",),
    "browser": ("browser",),
}


@dataclass(frozen=True)
class Outcome:
    """How one part went. ``tests`` and ``failed`` are counted from pytest's own report."""

    part: Part
    passed: int
    failed: int
    status: int
    seconds: float

    @property
    def is_good(self) -> bool:
        return self.status == 0 and self.failed == 0 and self.passed > 0


def run(part: Part, services: Services) -> Outcome:
    """Run one part, its output going where ours goes."""
    print(f"\n== {part.title} ==", flush=True)
    report = REPORTS / f"{part.name}.xml"
    report.unlink(missing_ok=True)
    workers = min(os.cpu_count() or 1, 8)
    parallel = ("-n", str(workers), "--dist", "worksteal") if part.parallel and workers > 1 else ()
    # The addresses of services are given only to the parts that are about them: their absence is SQLite.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHIO_")}
    environment |= services.environment
    began = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.support.no_skips"),
            *(f"--junit-xml={report}", *parallel, *part.arguments),
        ],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    seconds = time.monotonic() - began
    passed, failed = _counts(report)
    return Outcome(part, passed, failed, done.returncode, seconds)


def _counts(report: Path) -> tuple[int, int]:
    """Tests passed and not passed, from a JUnit report; nothing if pytest got no further than an error."""
    if not report.exists():
        return 0, 0
    suites = ET.parse(report).getroot().iter("testsuite")  # noqa: S314  (written by our own pytest a moment ago)
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        for name in totals:
            totals[name] += int(suite.get(name, "0"))
    bad = totals["failures"] + totals["errors"] + totals["skipped"]
    return totals["tests"] - bad, bad


def main(arguments: list[str]) -> int:
    """Run the parts of one selection; 0 when all that was asked for ran and passed."""
    selection = arguments[0] if arguments else "all"
    if selection not in SELECTIONS:
        print(f"usage: python -m tools.suite [{'|'.join(SELECTIONS)}]", file=sys.stderr)
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    left_out: list[str] = []
    for part in parts():
        if part.name not in SELECTIONS[selection]:
            continue
        with provided(part.needs) as services:
            if services.missing:
                names = " and ".join(SERVICE_NAMES[name] for name in services.missing)
                left_out.append(f"{part.title} (no {names}: {'; '.join(services.missing.values())})")
                continue
            outcomes.append(run(part, services))
    return _close(outcomes, left_out)


def _close(outcomes: list[Outcome], left_out: list[str]) -> int:
    print("\n== what ran ==")
    for outcome in outcomes:
        verdict = "passed" if outcome.is_good else "FAILED"
        print(f"{verdict}  {outcome.passed:5d} tests  {outcome.seconds:6.1f} s  {outcome.part.title}")
    for reason in left_out:
        print(f"LEFT OUT  {reason}")
    everything_must_run = os.environ.get("CI") == "true"
    if left_out and everything_must_run:
        print("With CI=true nothing may be left out.")
    broken = sum(1 for outcome in outcomes if not outcome.is_good and not outcome.failed)
    if broken:
        print(f"{broken} part(s) ended before a test could fail; pytest's output above says why.")
    failed = sum(outcome.failed for outcome in outcomes) + broken
    print(f"{sum(outcome.passed for outcome in outcomes)} passed, {failed} failed", flush=True)
    good = all(outcome.is_good for outcome in outcomes) and not (left_out and everything_must_run)
    return 0 if good and outcomes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
