"""Providers found: entry points in, one :class:`Plugins` out, and the guilty distribution named."""

from __future__ import annotations

import importlib
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from authio.errors import StartupError
from authio.plugin import hookspecs
from authio.plugin.contract import CONTRACT_VERSION, Connector, Provider

GROUP = "authio.providers"
_DECLARED = ("key", "protocol", "connection_type", "schema", "ways", "walkthrough", "attributes")
_KEY = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


class PluginError(StartupError):
    """A provider cannot be used. The first sentence names the distribution, its version, and the way out.

    Where code of the provider's raised something, the second names the line.
    """

    def __init__(self, message: str, cause: Exception | None = None) -> None:
        super().__init__([message, *_line_of(cause)])


@dataclass(frozen=True)
class Distribution:
    """Where a provider comes from: the package that pip installed."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Found:
    """One plugin module, with the entry point's name and the distribution that brought it."""

    name: str
    distribution: Distribution
    module: ModuleType


@dataclass(frozen=True)
class Loaded:
    """One provider and the distribution it comes from."""

    provider: Provider
    distribution: Distribution


@dataclass(frozen=True)
class Plugins:
    """Everything installed that is a provider, and the hooks of all plugins."""

    loaded: tuple[Loaded, ...]
    manager: pluggy.PluginManager
    distributions: dict[str, Distribution] = field(default_factory=dict)
    """Entry point's name to the distribution behind it."""

    @property
    def providers(self) -> tuple[Provider, ...]:
        """All providers in the order of a chooser: by name, those that take anything last."""
        return tuple(loaded.provider for loaded in self.loaded)

    @property
    def connectors(self) -> tuple[Connector, ...]:
        """All connectors, provider by provider."""
        return tuple(connector for provider in self.providers for connector in provider.connectors)

    def provider(self, key: str) -> Provider | None:
        """The provider of that key, if it is installed."""
        return next((provider for provider in self.providers if provider.key == key), None)

    def connector(self, key: str) -> Connector | None:
        """The connector of that key, if it is installed."""
        return next((connector for connector in self.connectors if connector.key == key), None)

    def provider_of(self, connector: Connector) -> Provider:
        """The provider that *connector* belongs to; ``KeyError`` if it is not loaded."""
        return self._loaded(connector).provider

    def distribution_of(self, connector: Connector) -> Distribution:
        """The distribution that *connector* comes from; ``KeyError`` if it is not loaded."""
        return self._loaded(connector).distribution

    def find(self, key: str, *, protocol: str | None = None, field: str | None = None) -> Connector | None:
        """The connector that *key* means, as people write it.

        *key* is a connector's, or a provider's; of a provider the connector for *protocol*, or else the
        first that understands *field*, or else its first. A key that is neither is tried once more with
        the protocol behind it, so that one word can stand for the catch-alls of both protocols.
        """
        if (exact := self.connector(key)) is not None:
            return exact
        if (provider := self.provider(key)) is not None:
            return _of(provider.connectors, protocol, field)
        family = [self.provider(f"{key}_{name}") for name in ([protocol] if protocol else ["saml", "oidc"])]
        return _of([c for provider in family if provider for c in provider.connectors], protocol, field)

    def each(self, hook: str) -> Iterator[tuple[Distribution, Callable[..., Any]]]:
        """The hook of each plugin by itself, so that whoever fails can be named. Order: as registered."""
        implementations = getattr(self.manager.hook, hook).get_hookimpls()
        for implementation in implementations:
            others = [i.plugin for i in implementations if i is not implementation]
            yield (
                self.distributions[implementation.plugin_name],
                self.manager.subset_hook_caller(hook, others),
            )

    def configure(self, config: Any) -> None:
        """Let every plugin take part in composing the web application."""
        for distribution, hook in self.each("authio_configure"):
            try:
                hook(config=config)
            except Exception as error:
                raise PluginError(_trouble(distribution, "could not be composed", error), error) from error

    def _loaded(self, connector: Connector) -> Loaded:
        for loaded in self.loaded:
            if any(connector is one for one in loaded.provider.connectors):
                return loaded
        raise KeyError(connector.key)


def load(blocked: Iterable[str] = ()) -> Plugins:
    """Load every installed provider but those *blocked* by entry point or distribution name."""
    return assemble(discover(blocked))


def discover(blocked: Iterable[str] = ()) -> Iterator[Found]:
    """Import the module behind every entry point of the group that is not *blocked*."""
    left_out = frozenset(blocked)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        distribution = _distribution(point)
        if not left_out & {point.name, distribution.name}:
            try:
                yield Found(point.name, distribution, importlib.import_module(point.value))
            except Exception as error:
                raise PluginError(_trouble(distribution, "could not be imported", error), error) from error


def assemble(found: Iterable[Found]) -> Plugins:
    """Register the modules, ask them for their providers, and refuse what does not fit together."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    distributions: dict[str, Distribution] = {}
    for one in found:
        try:
            manager.register(one.module, name=one.name)
            manager.check_pending()
        except (ValueError, pluggy.PluginValidationError) as error:
            raise PluginError(
                _trouble(one.distribution, "has a hook that does not fit", error), error
            ) from error
        distributions[one.name] = one.distribution
    plugins = Plugins((), manager, distributions)
    loaded = [
        one
        for distribution, hook in plugins.each("authio_providers")
        for one in _provided(distribution, hook)
    ]
    _refuse_duplicates(loaded)
    ordered = sorted(loaded, key=lambda one: (one.provider.takes_any, one.provider.name.casefold()))
    return Plugins(tuple(ordered), manager, distributions)


def _provided(distribution: Distribution, hook: Callable[..., Any]) -> list[Loaded]:
    try:
        providers = [provider for result in hook() for provider in result]
    except Exception as error:
        raise PluginError(_trouble(distribution, "gave no providers", error), error) from error
    for provider in providers:
        reason = _unfit(provider)
        if reason:
            raise PluginError(_trouble(distribution, reason))
        _draw_forms(distribution, provider)
    return [Loaded(provider, distribution) for provider in providers]


def _draw_forms(distribution: Distribution, provider: Provider) -> None:
    """Make each connector's schema once: one that cannot be made would only fail when somebody picks it."""
    for connector in provider.connectors:
        try:
            connector.schema()
        except Exception as error:
            what = f"has a connector {connector.key!r} whose schema cannot be made"
            raise PluginError(_trouble(distribution, what, error), error) from error


def _unfit(provider: Any) -> str:
    """Why this cannot be taken for a provider, or an empty text."""
    if not isinstance(provider, Provider):
        return f"gave {type(provider).__name__} for a provider"
    name: Any = provider.name
    if not isinstance(name, str) or not name.strip():
        return f"gave {provider.key!r} without a name"
    if provider.contract != CONTRACT_VERSION:
        return f"was written for contract {provider.contract!r}, this is contract {CONTRACT_VERSION}"
    if not provider.connectors:
        return f"gave {provider.key!r} without connectors"
    connectors: tuple[Any, ...] = provider.connectors
    for connector in connectors:
        if not isinstance(connector, Connector):
            return f"gave {type(connector).__name__} for a connector of {provider.key!r}"
        lacking = [name for name in _DECLARED if not hasattr(connector, name)]
        if lacking:
            return f"has a connector {type(connector).__name__} without {lacking[0]}"
    keys: list[Any] = [provider.key, *(connector.key for connector in provider.connectors)]
    wrong = [key for key in keys if not isinstance(key, str) or not _KEY.fullmatch(key)]
    return f"has a key that is no slug: {wrong[0]!r}" if wrong else ""


def _refuse_duplicates(loaded: list[Loaded]) -> None:
    seen: dict[tuple[str, str], Distribution] = {}
    for one in loaded:
        keys = [("provider", one.provider.key), *(("connector", c.key) for c in one.provider.connectors)]
        for kind, key in keys:
            first = seen.setdefault((kind, key), one.distribution)
            if first is not one.distribution or keys.count((kind, key)) > 1:
                raise PluginError(
                    _trouble(one.distribution, f"has the {kind} {key!r}, which {first} has as well")
                )


def _of(connectors: Iterable[Connector], protocol: str | None, field: str | None) -> Connector | None:
    fitting = [connector for connector in connectors if protocol in (None, connector.protocol)]
    if field is not None:
        asking = [connector for connector in fitting if field in connector.field_names]
        fitting = asking or [connector for connector in fitting if connector.understands(field)] or fitting
    return fitting[0] if fitting else None


def _distribution(point: EntryPoint) -> Distribution:
    found = point.dist
    return (
        Distribution(found.name, found.version) if found is not None else Distribution(point.value, "unknown")
    )


def _line_of(cause: Exception | None) -> list[str]:
    """The innermost line that is neither ours nor the import machinery's: its author has to look there."""
    if cause is None:
        return []
    core = str(Path(__file__).parents[1])
    frames = [
        frame
        for frame in traceback.extract_tb(cause.__traceback__)
        if not frame.filename.startswith((core, "<frozen", importlib.__file__))
    ]
    return [f"That was at {frames[-1].filename}, line {frames[-1].lineno}."] if frames else []


def _trouble(distribution: Distribution, what: str, error: Exception | None = None) -> str:
    cause = f" ({type(error).__name__}: {error})" if error is not None else ""
    return (
        f"{distribution} {what}{cause}. To start without it, set authio.plugins.blocked = {distribution.name}"
    )
