"""Every setting: its ini key, environment name, parser, default and help. Read once, at start.

The environment beats the ini file. All problems are reported together. Modules are handed the values
they need; nobody reads ``os.environ`` or the ini later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from authio import crypto
from authio.errors import StartupError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def _text(text: str) -> str:
    return text


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0", ""}:
        return False
    raise ValueError("must be true or false")


def _count(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\s*\d{1,12}\s*", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _ports(text: str) -> frozenset[str]:
    for word in text.split():
        if not re.fullmatch(r"[1-9][0-9]{0,4}", word) or int(word) > 65535:
            raise ValueError("must be port numbers with blanks between them")
    return frozenset(text.split())


def _pairs(text: str) -> frozenset[str]:
    for word in text.split():
        host, colon, port = word.rpartition(":")
        if not (colon and host and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("must be host:port pairs with blanks between them")
    return frozenset(text.split())


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise ValueError("must be an address like https://sso.example.com, without a path")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("must begin with https:// unless the host is a loopback address")
    return text.rstrip("/")


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) < 65536):
        raise ValueError("must be HOST:PORT")
    return text


def _database(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    return (
        text.replace("postgresql://", "postgresql+psycopg://", 1)
        if text.startswith("postgresql://")
        else text
    )


def _queue(text: str) -> str:
    if not text.startswith(("sqlite:///", "redis://", "rediss://", "memory://")):
        raise ValueError("must begin with sqlite:///, redis:// or rediss://")
    return text


def _master_keys(text: str) -> dict[str, bytes]:
    """Keys in the setting itself, or ``file:PATH`` of a file that holds them."""
    if text.startswith("file:"):
        try:
            text = Path(text[5:]).read_text(encoding="ascii")
        except OSError as problem:
            raise ValueError(f"the file cannot be read ({problem.strerror})") from None
    return crypto.read_master_keys(text)


def _level(text: str) -> str:
    level = text.strip().upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return level


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _schedule(text: str) -> tuple[int, ...]:
    delays = []
    for word in text.split():
        match = re.fullmatch(r"(\d{1,6})([smhd])", word)
        if match is None:
            raise ValueError("must be delays like 5s 30s 2m 1h")
        delays.append(int(match[1]) * _UNITS[match[2]])
    if not delays:
        raise ValueError("must hold at least one delay")
    return tuple(delays)


def _setting(
    key: str,
    environment: str,
    parse: Callable[[str], Any],
    default: str | None,
    help: str,
    *,
    secret: bool = False,
) -> Any:
    """Declare one setting. *default* None: it has to be given."""
    return field(
        repr=not secret,
        metadata={
            "key": key,
            "environment": environment,
            "parse": parse,
            "default": default,
            "help": help,
            "secret": secret,
        },
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process, parsed. ``Settings.load`` makes it; fields are in reading order."""

    database_url: str = _setting(
        "sqlalchemy.url",
        "AUTHIO_DATABASE_URL",
        _database,
        None,
        "The database: sqlite:///PATH, or postgresql+psycopg://USER@HOST/NAME.",
        secret=True,
    )
    queue_url: str = _setting(
        "huey.url",
        "AUTHIO_QUEUE_URL",
        _queue,
        None,
        "The queue that wakes the worker: sqlite:///PATH, or redis://HOST:PORT/NUMBER. It may be emptied.",
        secret=True,
    )
    base_url: str = _setting(
        "authio.base_url",
        "AUTHIO_BASE_URL",
        _base_url,
        None,
        "Where browsers and identity providers reach this service. Every address handed out begins with it.",
    )
    listen: str = _setting(
        "authio.listen",
        "AUTHIO_LISTEN",
        _listen,
        "127.0.0.1:6543",
        "HOST:PORT that `authio serve` listens on.",
    )
    threads: int = _setting(
        "authio.threads", "AUTHIO_THREADS", _count(1, 64), "4", "Threads that answer requests."
    )
    worker_threads: int = _setting(
        "authio.worker_threads", "AUTHIO_WORKER_THREADS", _count(1, 64), "4", "Threads that deliver webhooks."
    )
    master_keys: dict[str, bytes] = _setting(
        "authio.master_keys",
        "AUTHIO_MASTER_KEYS",
        _master_keys,
        None,
        "Keys that seal secrets at rest: `id:base64 of 32 bytes`, newest first, or `file:PATH`. Keep a copy: "
        "without them nothing sealed opens.",
        secret=True,
    )
    outbound_allow: frozenset[str] = _setting(
        "authio.outbound_allow",
        "AUTHIO_OUTBOUND_ALLOW",
        _pairs,
        "",
        "Exact host:port pairs, as written in an address, that may be reached although they are private "
        "or not https. For development.",
    )
    webhook_ports: frozenset[str] = _setting(
        "authio.webhook_ports",
        "AUTHIO_WEBHOOK_PORTS",
        _ports,
        "443",
        "Ports that webhook endpoints may listen on, besides those of `authio.outbound_allow`.",
    )
    webhook_retry_schedule: tuple[int, ...] = _setting(
        "authio.webhook_retry_schedule",
        "AUTHIO_WEBHOOK_RETRY_SCHEDULE",
        _schedule,
        "5s 30s 2m 10m 30m 1h 2h 4h 8h 12h 20h 24h",
        "Delays before the retries of a webhook delivery, from the first to the last.",
    )
    plain_http_cookies: bool = _setting(
        "authio.plain_http_cookies",
        "AUTHIO_PLAIN_HTTP_COOKIES",
        _flag,
        "false",
        "Send cookies without Secure and the __Host- prefix. Refused unless the base URL is a loopback one.",
    )
    trusted_proxy: str = _setting(
        "authio.trusted_proxy",
        "AUTHIO_TRUSTED_PROXY",
        _text,
        "",
        "Address of the reverse proxy whose X-Forwarded-For and -Proto are believed. Empty: nobody's.",
    )
    rate_unknown_tokens: int = _setting(
        "authio.rate_limit.unknown_tokens",
        "AUTHIO_RATE_LIMIT_UNKNOWN_TOKENS",
        _count(1, 10**9),
        "30",
        "Unknown setup links an address may try, per minute.",
    )
    rate_portal: int = _setting(
        "authio.rate_limit.portal",
        "AUTHIO_RATE_LIMIT_PORTAL",
        _count(1, 10**9),
        "60",
        "Start and save, per minute and portal session (Start: per link).",
    )
    rate_api: int = _setting(
        "authio.rate_limit.api",
        "AUTHIO_RATE_LIMIT_API",
        _count(1, 10**9),
        "6000",
        "API requests, per minute and key.",
    )
    rate_sso: int = _setting(
        "authio.rate_limit.sso",
        "AUTHIO_RATE_LIMIT_SSO",
        _count(1, 10**9),
        "600",
        "Sign-ins begun, and answers of identity providers, per minute and address.",
    )
    saml_clock_skew: int = _setting(
        "authio.saml_clock_skew",
        "AUTHIO_SAML_CLOCK_SKEW",
        _count(0, 300),
        "180",
        "Seconds that an identity provider's clock may differ from ours.",
    )
    sign_in_details_days: int = _setting(
        "authio.sign_in_details_days",
        "AUTHIO_SIGN_IN_DETAILS_DAYS",
        _count(1, 3650),
        "30",
        "Days after which a sign-in attempt's personal data is forgotten: the profile, what the identity "
        "provider sent, addresses. That there was an attempt, and how it ended, stays.",
    )
    rate_link_requests: int = _setting(
        "authio.rate_limit.link_requests",
        "AUTHIO_RATE_LIMIT_LINK_REQUESTS",
        _count(1, 10**9),
        "3",
        "Requests for a new link from a dead link's page, per hour and link.",
    )
    blocked_plugins: frozenset[str] = _setting(
        "authio.plugins.blocked",
        "AUTHIO_PLUGINS_BLOCKED",
        _words,
        "",
        "Names of provider entry points that are not loaded.",
    )
    migrate_on_start: bool = _setting(
        "authio.migrate_on_start",
        "AUTHIO_MIGRATE_ON_START",
        _flag,
        "false",
        "Bring the schema up to date when `authio serve` or `authio worker` starts.",
    )
    demo: bool = _setting(
        "authio.demo",
        "AUTHIO_DEMO",
        _flag,
        "false",
        "On first start make the master key file and a demo project; on each start print a setup link. "
        "Refused unless the base URL is a loopback address.",
    )
    weak_durability: bool = _setting(
        "authio.allow_weak_durability",
        "AUTHIO_ALLOW_WEAK_DURABILITY",
        _flag,
        "false",
        "Start although the database may forget acknowledged writes on power loss.",
    )
    log_level: str = _setting(
        "authio.log_level", "AUTHIO_LOG_LEVEL", _level, "INFO", "DEBUG, INFO, WARNING or ERROR."
    )

    @classmethod
    def load(cls, ini: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
        """Parse *ini* (the keys of ``[app:main]``) under *environ*; StartupError lists every problem."""
        values: dict[str, Any] = {}
        problems: list[str] = []
        for name, declared in cls.declared():
            text = environ.get(declared["environment"], ini.get(declared["key"], declared["default"]))
            if text is None:
                problems.append(f"{declared['key']} ({declared['environment']}) has to be set.")
                continue
            try:
                values[name] = declared["parse"](text)
            except ValueError as problem:
                problems.append(f"{declared['key']} ({declared['environment']}): {problem}.")
        known = {declared["key"] for _, declared in cls.declared()}
        problems += [
            f"{key} is not a setting of authio."
            for key in sorted(ini)
            if key.startswith("authio.") and key not in known
        ]
        if "base_url" in values and urlsplit(values["base_url"]).hostname not in _LOOPBACK:
            problems += [
                f"{key} is only allowed while authio.base_url is a loopback address."
                for name, key in (
                    ("plain_http_cookies", "authio.plain_http_cookies"),
                    ("demo", "authio.demo"),
                )
                if values.get(name)
            ]
        if not values.get("plain_http_cookies") and values.get("base_url", "https:").startswith("http:"):
            problems.append("authio.base_url is plain http, so authio.plain_http_cookies has to be true.")
        if problems:
            raise StartupError(problems)
        return cls(**values)

    @classmethod
    def declared(cls) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each field's name and its declaration: key, environment, parse, default, help, secret."""
        for one in fields(cls):
            yield one.name, one.metadata

    def described(self) -> dict[str, str]:
        """The settings that are not as they are by default, by ini key and without secrets."""
        return {
            declared["key"]: "(set)" if declared["secret"] else _shown(getattr(self, name))
            for name, declared in self.declared()
            if declared["default"] is None or getattr(self, name) != declared["parse"](declared["default"])
        }

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.base_url.startswith("https:")


def _shown(value: Any) -> str:
    if isinstance(value, (frozenset, tuple)):
        return " ".join(str(one) for one in (sorted(value) if isinstance(value, frozenset) else value))
    return str(value).lower() if isinstance(value, bool) else str(value)
