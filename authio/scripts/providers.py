"""Commands about identity providers: which are installed, and what one would say to metadata or a value."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from authio.clock import Clock
from authio.errors import StartupError
from authio.outbound import Outbound
from authio.plugin import Connector, Context, Finding, ServiceProvider, loader
from authio.plugin.inspection import Inspection, inspect_document, inspect_value, judge_value, verdict_of
from authio.plugin.loader import Plugins
from authio.services.fetching import fetcher
from authio.settings import Settings


def list_providers(arguments: argparse.Namespace) -> None:
    """Print every provider with its connectors, and the distribution and version it comes from."""
    plugins = loader.load(_blocked(arguments.ini))
    rows = [
        {
            "provider": provider.key,
            "name": provider.name,
            "connectors": [connector.key for connector in provider.connectors],
            "distribution": str(plugins.distribution_of(provider.connectors[0])),
            "contract": provider.contract,
        }
        for provider in plugins.providers
    ]
    if arguments.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['provider']:<16}{row['name']:<28}{' '.join(row['connectors']):<28}{row['distribution']}")


def inspect(arguments: argparse.Namespace) -> int:
    """Judge metadata or values as the portal would; exit status 1 when they are rejected."""
    plugins = loader.load()
    context = _context(arguments)
    if arguments.value:
        report = _values(plugins, arguments, context)
    else:
        report = _document(plugins, arguments, context).to_json()
    if arguments.json:
        print(json.dumps(report))
    else:
        _print(report)
    return 1 if report["verdict"] == "reject" else 0


def _document(plugins: Plugins, arguments: argparse.Namespace, context: Context) -> Inspection:
    connector = _connector(plugins, arguments)
    if arguments.url is not None:
        return inspect_value(plugins, connector, arguments.url, context)
    content = sys.stdin.buffer.read() if arguments.file == "-" else _read(arguments.file)
    return inspect_document(plugins, connector, content, context, entered=arguments.issuer or "")


def _values(plugins: Plugins, arguments: argparse.Namespace, context: Context) -> dict[str, Any]:
    findings: list[Finding] = []
    understood: dict[str, str] = {}
    connector: Connector | None = None
    for pair in arguments.value:
        field, equals, value = pair.partition("=")
        if not equals:
            raise StartupError(["--value takes FIELD=VALUE."])
        connector = _connector(plugins, arguments, field=field)
        if connector is None:
            raise StartupError(["--value needs --provider."])
        judged = judge_value(plugins, connector, field, value, context)
        findings += judged.findings
        understood[field] = "" if field in connector.secrets else judged.value
    return {
        "verdict": str(verdict_of(findings)),
        "provider": plugins.provider_of(connector).key if connector else None,
        "protocol": connector.protocol if connector else None,
        "findings": [finding.to_json() for finding in findings],
        "settings": understood,
    }


def _connector(plugins: Plugins, arguments: argparse.Namespace, *, field: str | None = None) -> Connector | None:
    if arguments.provider is None:
        return None
    found = plugins.find(arguments.provider, protocol=arguments.protocol, field=field)
    if found is None:
        raise StartupError([f"There is no provider {arguments.provider} here. `authio providers` lists them."])
    return found


def _context(arguments: argparse.Namespace) -> Context:
    now = Clock().now()
    if arguments.now:
        try:
            now = datetime.fromisoformat(arguments.now)
        except ValueError:
            raise StartupError(["--now takes a moment such as 2026-01-31T12:00:00Z."]) from None
        now = now if now.tzinfo else now.replace(tzinfo=UTC)
    own = arguments.sp_entity_id
    sp = ServiceProvider(own, "", own, "", "") if own else None
    allow = frozenset(os.environ.get("AUTHIO_OUTBOUND_ALLOW", "").split())
    return Context(now=now, fetch=fetcher(Outbound(allow=allow)), sp=sp, allow=allow)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise StartupError([f"{path} cannot be read ({problem.strerror})."]) from None


def _blocked(path: str) -> frozenset[str]:
    """The setting that leaves plugins out, where there is an ini file; the command needs none."""
    declared = next(one for name, one in Settings.declared() if name == "blocked_plugins")
    text = os.environ.get(declared["environment"], "")
    if not text and Path(path).is_file():
        from authio.scripts import ini

        text = ini.read(path).get(declared["key"], "")
    return frozenset(text.split())


def _print(report: dict[str, Any]) -> None:
    print(f"{report['verdict']}: {report['provider']} over {report['protocol']}")
    for finding in report["findings"]:
        where = f" [{finding['field']}]" if finding.get("field") else ""
        print(f"  {finding['level']} {finding['code']}{where}: {finding['message']}")
    for name, value in (report["settings"] or {}).items():
        if value not in (None, "", [], ()):
            print(f"  {name}: {value}")
