"""Judging as the portal does it, for the provider under test alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import authio_entra
import pytest

from authio.plugin import Context, Judged, Plugins
from authio.plugin.inspection import Inspection, inspect, judge_value
from authio.plugin.testing import NOW, SP, ServedOnly, plugins_of

Judge = Callable[[str, str, str], Judged]
Bring = Callable[..., Inspection]


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    """What is loaded when nothing else is installed."""
    return plugins_of(authio_entra)


@pytest.fixture
def judge(plugins: Plugins) -> Judge:
    """One value judged: ``judge(connector, field, value)``."""

    def judge(key: str, field: str, value: str) -> Judged:
        connector = plugins.connector(key)
        assert connector is not None
        return judge_value(plugins, connector, field, value, Context(now=NOW, fetch=ServedOnly({}), sp=SP))

    return judge


@pytest.fixture
def bring(plugins: Plugins) -> Bring:
    """Answers inspected: ``bring(connector, answers, serves={address: body})``."""

    def bring(
        key: str, answers: Mapping[str, str | bytes], *, serves: Mapping[str, bytes] | None = None
    ) -> Inspection:
        connector = plugins.connector(key)
        assert connector is not None
        return inspect(plugins, connector, answers, Context(now=NOW, fetch=ServedOnly(serves or {}), sp=SP))

    return bring
