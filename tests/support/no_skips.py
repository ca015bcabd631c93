"""A pytest plugin: a test that was skipped, or expected to fail, fails the run.

What cannot run somewhere is left out by `make test`, which says so; a skip inside the suite would be a hole
that nobody reads about.
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    holes = _holes(session.config)
    if holes and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in _holes(terminalreporter.config):
        terminalreporter.write_line(f"NOT ALLOWED TO BE SKIPPED: {report.nodeid}", red=True)


def _holes(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # an xdist worker: its reports are judged by the process that started it
        return []
    return [*reporter.stats.get("skipped", []), *reporter.stats.get("xfailed", [])]
