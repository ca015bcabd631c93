"""From batches to figures: medians of rounds, percentiles of requests, ratios within one run."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.driver import Batch

Rounds = Sequence[Mapping[str, Batch]]


def summary(rounds: Rounds) -> dict[str, dict[str, Any]]:
    """For each phase: the median of the rounds' rates, their range, and percentiles over all requests."""
    return {phase: _phase([one[phase] for one in rounds]) for phase in rounds[0]}


def ratios(ours: Rounds, theirs: Rounds) -> dict[str, float]:
    """How many times faster *ours* is than *theirs*, by phase: the median over rounds run side by side."""
    return {
        phase: round(
            statistics.median(
                one[phase].per_second / other[phase].per_second
                for one, other in zip(ours, theirs, strict=True)
            ),
            2,
        )
        for phase in ours[0]
        if phase in theirs[0]
    }


def whole_per_second(rounds: Rounds) -> float:
    """How often in a second all phases can be gone through, one after the other: the median of rounds."""
    return round(
        statistics.median(
            1 / sum(batch.seconds / len(batch.answers) for batch in one.values()) for one in rounds
        ),
        1,
    )


def _phase(batches: Sequence[Batch]) -> dict[str, Any]:
    rates = [batch.per_second for batch in batches]
    times = sorted(answer.seconds for batch in batches for answer in batch.answers)
    middle = statistics.median(rates)
    return {
        "per_second": round(middle, 1),
        "slowest_round": round(min(rates), 1),
        "fastest_round": round(max(rates), 1),
        "noise_percent": round(100 * (max(rates) - min(rates)) / middle),
        "p50_ms": round(1000 * percentile(times, 50), 2),
        "p99_ms": round(1000 * percentile(times, 99), 2),
        "requests": len(times),
    }


def percentile(ordered: Sequence[float], part: int) -> float:
    """The value that *part* percent of *ordered* do not exceed (nearest rank)."""
    rank = -(-part * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]
