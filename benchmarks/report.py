"""The figures for people: tables on the terminal, and the measured part of docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import report_sign_in
from benchmarks.measure import DATABASES
from benchmarks.phases import TITLES
from benchmarks.tables import Target, table

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


def targets(results: Mapping[str, Any]) -> list[Target]:
    """Every promise that this run can speak about."""
    return [
        *_of_the_process(results),
        *_beside_the_peer(results),
        *report_sign_in.targets(results.get("signin", {})),
        *_of_size(results),
    ]


def _of_the_process(results: Mapping[str, Any]) -> Iterator[Target]:
    for kind, found in results.get("speed", {}).get("databases", {}).items():
        memory, start = found["memory_mb"], found["start_seconds"]
        yield Target(f"memory of web and worker, {DATABASES[kind]}", "< 160 MB", memory, memory < 160)
        yield Target(f"start to first answer, {DATABASES[kind]}", "< 2.5 s", start, start < 2.5)


def _beside_the_peer(results: Mapping[str, Any]) -> Iterator[Target]:
    peer = results.get("speed", {}).get("peer", {}).get("sqlite")
    for phase, must, aim in (("mint", 1.5, 3.0), ("save", 1.2, 2.0)) if peer else ():
        ratio = peer["ratios"][phase]
        yield Target(f"{phase} beside the peer, SQLite", f"≥ {must} times", ratio, ratio >= must)
        yield Target(f"{phase} beside the peer, SQLite (aim)", f"≥ {aim:g} times", ratio, ratio >= aim)


def _of_size(results: Mapping[str, Any]) -> Iterator[Target]:
    for kind, found in results.get("size", {}).get("databases", {}).items():
        worst = min(found["ratios"].values())
        yield Target(
            f"slowest request with {_rows(results)} of rows against none, {DATABASES[kind]}",
            "≥ 0.85 of the rate",
            worst,
            worst >= 0.85,
        )


def markdown(results: Mapping[str, Any]) -> str:
    """All of it, as Markdown: what the terminal shows and what the documentation holds."""
    return "\n\n".join(part for part in _parts(results) if part)


def _parts(results: Mapping[str, Any]) -> Iterator[str]:
    yield _machine(results)
    if "speed" in results:
        yield "## Requests per second"
        yield from _speed(results["speed"])
        yield from _peer(results)
    if "signin" in results:
        yield from report_sign_in.parts(results["signin"])
    if "size" in results:
        yield from _size(results)
    yield from _targets(results)
    if "where" in results:
        yield from _where(results["where"])


def _machine(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    postgresql = f"PostgreSQL {machine['postgresql']}, " if machine.get("postgresql") else ""
    peer = f" Peer: {results['peer_version']}." if results.get("peer_version") else ""
    return (
        f"Measured on {machine['date']}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}; Python {machine['python']}, "
        f"SQLite {machine['sqlite']}, {postgresql}{packages}. Making 4 KiB durable takes "
        f"{machine['fsync_ms']} ms on its disk; the load before the run was {machine['load_before']}. "
        f"{results['rounds']} rounds of {results['size_of_round']} set-ups or sign-ins.{peer}"
    )


def _speed(speed: Mapping[str, Any]) -> Iterator[str]:
    floor = speed["floor"]
    for kind, found in speed["databases"].items():
        yield f"### {DATABASES[kind]}"
        rows = [
            _speed_row(TITLES[phase], figures, floor["per_second"])
            for phase, figures in found["phases"].items()
        ]
        yield table(
            ("request", "per second", "rounds from, to", "p50 ms", "p99 ms", "of the floor"),
            [*rows, _speed_row("floor: an application that does nothing", floor, floor["per_second"])],
        )


def _speed_row(title: str, figures: Mapping[str, Any], floor: float) -> tuple[str, ...]:
    return (
        title,
        f"{figures['per_second']:.0f}",
        f"{figures['slowest_round']:.0f}, {figures['fastest_round']:.0f}",
        f"{figures['p50_ms']:.1f}",
        f"{figures['p99_ms']:.1f}",
        f"{100 * figures['per_second'] / floor:.0f} %",
    )


def _peer(results: Mapping[str, Any]) -> Iterator[str]:
    speed = results["speed"]
    if not speed.get("peer"):
        return
    yield "## Beside the peer"
    rows: list[tuple[str, ...]] = []
    for kind, found in speed["peer"].items():
        ours = speed["databases"][kind]["phases"]
        for phase, figures in found["phases"].items():
            rows.append(
                (
                    f"{DATABASES[kind]}: {phase}",
                    f"{ours[phase]['per_second']:.0f}",
                    f"{figures['per_second']:.0f}",
                    f"{found['ratios'][phase]:.2f}",
                )
            )
        both = 1 / (1 / ours["answers"]["per_second"] + 1 / ours["save"]["per_second"])
        theirs = found["phases"]["save"]["per_second"]
        rows.append(
            (f"{DATABASES[kind]}: answers and save", f"{both:.0f}", f"{theirs:.0f}", f"{both / theirs:.2f}")
        )
        memory = speed["databases"][kind]["memory_mb"], found["memory_mb"]
        rows.append((f"{DATABASES[kind]}: memory, MB", *map(str, memory), f"{memory[0] / memory[1]:.2f}"))
    yield table(("", "authio", "peer", "authio / peer"), rows)


def _rows(results: Mapping[str, Any]) -> str:
    rows = results["size"]["rows"]
    return "a million" if rows == 1_000_000 else f"{rows:,}"


def _size(results: Mapping[str, Any]) -> Iterator[str]:
    yield f"## With {_rows(results)} links, events and deliveries"
    for kind, found in results["size"]["databases"].items():
        yield f"### {DATABASES[kind]}, full and empty"
        yield table(
            ("request", "per second, empty", "per second, full", "full / empty", "p99 ms, full"),
            [
                (
                    phase,
                    f"{figures['per_second']:.0f}",
                    f"{found['full'][phase]['per_second']:.0f}",
                    f"{found['ratios'][phase]:.2f}",
                    f"{found['full'][phase]['p99_ms']:.1f}",
                )
                for phase, figures in found["none"].items()
            ],
        )


def _targets(results: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (one.what, one.wanted, f"{one.measured:g}", "met" if one.met else "**missed**")
        for one in targets(results)
    ]
    if rows:
        yield "## Targets"
        yield table(("what", "wanted", "measured", ""), rows)


def _where(found: Mapping[str, Any]) -> Iterator[str]:
    yield "## Where the time goes"
    yield table(
        ("in process, on SQLite, one at a time", "µs", "of it CPU"),
        [
            (TITLES[phase], str(figures["wall"]), str(figures["cpu"]))
            for phase, figures in found["microseconds"].items()
        ],
    )
    for phase in ("mint", "save"):
        shares = ", ".join(f"{part} {share:g} %" for part, share in found[phase].items())
        yield f"By the profiler, a {phase} is: {shares}."


def write(page: Path, results: Mapping[str, Any]) -> None:
    """Put the figures between the marks on *page*; what stands around them is written by hand."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page.name} has no place for what was measured: {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n\n{END}{after}", encoding="utf-8")
