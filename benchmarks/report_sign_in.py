"""What was measured of signing in, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.measure import DATABASES
from benchmarks.sign_ins import BESIDE_THE_PEER, PHASES, SCENARIOS
from benchmarks.tables import Target, table

_TITLES = {"authorize": "authorize", "acs": "ACS or callback", "token": "token"}
_WANTED = {"acs": (2.0, 4.0), "authorize": (2.0, 2.0), "token": (1.0, 2.0)}
"""What has to be reached beside the peer, and what is aimed at."""


def targets(found: Mapping[str, Any]) -> Iterator[Target]:
    """Every promise about signing in."""
    if not found:
        return
    both = found["verification_ms"]["both"]
    yield Target("one verification, both signatures, ms of CPU", "≤ 6 ms", both, both <= 6)
    yield Target("one verification, both signatures, ms of CPU (aim)", "≤ 1.5 ms", both, both <= 1.5)
    for kind, measured in found["databases"].items():
        memory = measured["memory_mb"]
        yield Target(f"memory after signing in, {DATABASES[kind]}", "< 160 MB", memory, memory < 160)
    for phase, (must, aim) in _WANTED.items() if "peer" in found else ():
        ratio = found["peer"]["ratios"][phase]
        yield Target(f"{_name(phase)} beside the peer, SQLite", f"≥ {must:g} times", ratio, ratio >= must)
        if aim > must:
            what = f"{_name(phase)} beside the peer, SQLite (aim)"
            yield Target(what, f"≥ {aim:g} times", ratio, ratio >= aim)


def parts(found: Mapping[str, Any]) -> Iterator[str]:
    """The section about signing in."""
    yield "## Sign-ins per second and core"
    floor = found["floor"]["per_second"]
    for kind, measured in found["databases"].items():
        yield f"### Signing in, {DATABASES[kind]}"
        yield table(
            ("", "sign-ins per second", *(f"{_TITLES[phase]} per second" for phase in PHASES)),
            [
                (
                    SCENARIOS[name].title,
                    f"{one['sign_ins_per_second']:.0f}",
                    *(f"{one['phases'][phase]['per_second']:.0f}" for phase in PHASES),
                )
                for name, one in measured["scenarios"].items()
            ],
        )
        yield table(
            ("p50, p99 in ms; noise in %", *(_TITLES[phase] for phase in PHASES)),
            [
                (SCENARIOS[name].title, *(_times(one["phases"][phase]) for phase in PHASES))
                for name, one in measured["scenarios"].items()
            ],
        )
        yield f"Memory afterwards: {measured['memory_mb']} MB. An application that does nothing: {floor:.0f}."
    yield from _peer(found)
    yield "### One verification"
    yield _verification(found["verification_ms"])


def _peer(found: Mapping[str, Any]) -> Iterator[str]:
    if "peer" not in found:
        return
    ours, peer = found["databases"]["sqlite"], found["peer"]
    scenario = ours["scenarios"][BESIDE_THE_PEER]
    yield "### Signing in beside the peer, SQLite"
    rows = [
        (
            _name(phase),
            f"{scenario['phases'][phase]['per_second']:.0f}",
            f"{peer['phases'][phase]['per_second']:.0f}",
            f"{peer['ratios'][phase]:.2f}",
        )
        for phase in PHASES
    ]
    whole = scenario["sign_ins_per_second"], peer["sign_ins_per_second"]
    memory = ours["memory_mb"], peer["memory_mb"]
    rows.append(("whole sign-ins", f"{whole[0]:.0f}", f"{whole[1]:.0f}", f"{whole[0] / whole[1]:.2f}"))
    rows.append(("memory, MB", f"{memory[0]}", f"{memory[1]}", f"{memory[0] / memory[1]:.2f}"))
    yield table(("", "authio", "peer", "authio / peer"), rows)


def _verification(found: Mapping[str, float]) -> str:
    floor = found["floor"]
    rows = [("floor: parse, canonicalise, two RSA-2048 verifications", f"{floor:.2f}", "1.0")]
    rows += [
        (SCENARIOS[name].title, f"{spent:.2f}", f"{spent / floor:.1f}")
        for name, spent in found.items()
        if name != "floor"
    ]
    return table(("in process", "ms of CPU", "of the floor"), rows)


def _name(phase: str) -> str:
    return {"authorize": "authorize (signed)", "acs": "ACS (both signatures)"}.get(phase, phase)


def _times(figures: Mapping[str, Any]) -> str:
    return f"{figures['p50_ms']:.1f}, {figures['p99_ms']:.1f}; {figures['noise_percent']}"
