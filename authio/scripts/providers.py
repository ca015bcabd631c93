"""Commands about identity providers: which are installed, and what one would say to metadata or a value."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from authio.clock import Clock, wire_time
from authio.errors import StartupError
from authio.outbound import Outbound
from authio.plugin import Context, ServiceProvider, loader
from authio.plugin.report import report
from authio.protocols.certificates import read_certificate
from authio.services.fetching import fetcher
from authio.settings import Settings


def list_providers(arguments: argparse.Namespace) -> None:
    """Print every provider with its connectors, and the distribution and version it comes from."""
    plugins = loader.load(_blocked(arguments.ini))
    rows: list[dict[str, Any]] = [
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
    table = [[row["provider"], row["name"], " ".join(row["connectors"]), row["distribution"]] for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(4)] if table else []
    for line in table:
        print("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip())
    if not table:
        print("No provider is installed. Each is a distribution called authio-provider-<name>.")


def inspect(arguments: argparse.Namespace) -> int:
    """Judge metadata or values as the portal would; exit status 1 when they are rejected."""
    plugins = loader.load()
    provider, protocol = arguments.provider, arguments.protocol
    if provider is not None and plugins.find(provider, protocol=protocol) is None:
        raise StartupError([f"There is no provider {provider} here. `authio providers` lists them."])
    said = report(
        plugins,
        _context(arguments),
        provider=provider,
        protocol=protocol,
        url=arguments.url,
        file=_content(arguments.file),
        values=_values(arguments),
    )
    if arguments.json:
        print(json.dumps(said))
    else:
        _print(said)
    return 1 if said["verdict"] == "reject" else 0


def _content(path: str | None) -> bytes | None:
    if path is None:
        return None
    return sys.stdin.buffer.read() if path == "-" else _read(path)


def _values(arguments: argparse.Namespace) -> dict[str, str]:
    values = {"issuer": arguments.issuer} if arguments.issuer else {}
    for pair in arguments.value or ():
        field, equals, value = pair.partition("=")
        if not equals:
            raise StartupError(["--value takes FIELD=VALUE."])
        values[field] = value
    return values


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
    if not text and (Path(path).is_file() or path != "development.ini"):
        from authio.scripts import ini

        text = ini.read(path).get(declared["key"], "")
    return frozenset(text.split())


def _print(said: dict[str, Any]) -> None:
    print(
        f"{said['verdict']}: {said['provider'] or 'no known provider'} over {said['protocol'] or 'anything'}"
    )
    for finding in said["findings"]:
        where = f" [{finding['field']}]" if finding.get("field") else ""
        print(f"  {finding['level']} {finding['code']}{where}: {finding['message']}")
    for name, value in (said["settings"] or said.get("values") or {}).items():
        if value in (None, "", [], ()):
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            print(f"  {name}: {_certificate(one) if name == 'certificates' else one}")


def _certificate(pem: str) -> str:
    """What tells one certificate from another; ``--json`` has it whole."""
    certificate = read_certificate(pem)
    return f"{certificate.subject}, until {wire_time(certificate.not_after)}, SHA-256 {certificate.sha256}"
