"""Judging as the portal does it, for the provider under test alone."""

from __future__ import annotations

from collections.abc import Callable

import authio_google
import pytest

from authio.plugin import Judged
from authio.plugin.inspection import Inspection
from authio.plugin.testing import Bench

Judge = Callable[[str, str, str], Judged]
Bring = Callable[..., Inspection]


@pytest.fixture(scope="session")
def bench() -> Bench:
    """The provider under test, alone."""
    return Bench(authio_google)


@pytest.fixture
def judge(bench: Bench) -> Judge:
    """One value judged: ``judge(connector, field, value)``."""
    return bench.judge


@pytest.fixture
def bring(bench: Bench) -> Bring:
    """Answers inspected: ``bring(connector, answers, serves={address: body})``."""
    return bench.bring
