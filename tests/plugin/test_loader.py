"""Loading: what is found, what is left out, and who is named when it goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from authio.plugin import PluginError, loader
from authio.plugin.loader import Plugins
from authio.plugin.testing import plugins_of

PLAIN = """
import colander
from authio.plugin import Provider, SamlConnector, Walkthrough, hookimpl
class Plain(SamlConnector):
    key = "{connector}"
    schema = colander.MappingSchema
    walkthrough = Walkthrough(())
PROVIDER = Provider(key="{key}", name="{name}", package=__name__, connectors=(Plain(),))
@hookimpl
def authio_providers():
    return [PROVIDER]
"""


def plain(key: str, *, connector: str = "", name: str = "") -> str:
    return PLAIN.format(key=key, connector=connector or f"{key}-saml", name=name or key.title())


def test_an_installed_provider_is_found_with_its_distribution(acme_site: Path, acme: ModuleType) -> None:
    plugins = loader.load()

    provider = plugins.provider("acme")
    assert provider is not None
    assert provider is acme.PROVIDER
    assert str(plugins.distribution_of(provider.connectors[0])) == "authio-provider-acme 1.0.0"
    assert plugins.connector("acme-oidc") is provider.connectors[1]
    assert plugins.provider_of(provider.connectors[1]) is provider


@pytest.mark.parametrize("name", ["acme", "authio-provider-acme"])
def test_a_blocked_provider_is_not_even_imported(acme: ModuleType, name: str) -> None:
    assert loader.load([name]).provider("acme") is None


def test_a_provider_that_fails_to_import_names_its_distribution_and_the_way_out(
    install: Callable[..., ModuleType | None],
) -> None:
    install("broken", "raise ZeroDivisionError('oh')", version="2.3")

    with pytest.raises(PluginError) as failed:
        loader.load()

    message, where = failed.value.problems
    assert message == (
        "provider-broken 2.3 could not be imported (ZeroDivisionError: oh). "
        "To start without it, set authio.plugins.blocked = provider-broken"
    )
    assert re.fullmatch(r"That was at \S*broken\S*\.py, line 1\.", where)
    assert loader.load(["provider-broken"]).provider("broken") is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "from authio.plugin import hookimpl\n@hookimpl\ndef authio_provider(): return []",
            "has a hook that does not fit",
        ),
        (
            "from authio.plugin import hookimpl\n@hookimpl\ndef authio_inspect(setings): return []",
            "has a hook that does not fit",
        ),
        (
            "from authio.plugin import hookimpl\n@hookimpl\ndef authio_providers(): return ['odd']",
            "gave str for a provider",
        ),
        (
            "from authio.plugin import hookimpl\n@hookimpl\ndef authio_providers(): raise OSError('no')",
            "gave no providers (OSError: no)",
        ),
        (plain("odd").replace("package=", "contract=99, package="), "was written for contract 99"),
        (plain("Odd Key", connector="odd-saml"), "has a key that is no slug: 'Odd Key'"),
        (plain("odd", connector="Odd/SAML"), "has a key that is no slug: 'Odd/SAML'"),
        (plain("odd", name=" "), "gave 'odd' without a name"),
        (plain("odd").replace("(Plain(),)", "()"), "gave 'odd' without connectors"),
        (plain("odd").replace("(Plain(),)", "('no',)"), "gave str for a connector of 'odd'"),
        (
            plain("odd").replace("    walkthrough = Walkthrough(())", ""),
            "a connector Plain without walkthrough",
        ),
    ],
)
def test_what_does_not_fit_stops_the_start_and_names_the_distribution(
    install: Callable[..., ModuleType | None], source: str, says: str
) -> None:
    install("odd", source, version="0.9")

    with pytest.raises(PluginError) as failed:
        loader.load()

    assert str(failed.value).startswith("provider-odd 0.9 ")
    assert says in str(failed.value)


def test_a_form_that_cannot_be_made_is_found_at_the_start(
    install: Callable[..., ModuleType | None],
) -> None:
    install(
        "formless",
        plain("formless").replace("schema = colander.MappingSchema", "schema = lambda self: 1 / 0"),
    )

    with pytest.raises(PluginError) as failed:
        loader.load()

    assert "provider-formless 1.0 has a connector 'formless-saml' whose schema cannot be made" in str(
        failed.value
    )


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (plain("twin"), plain("twin", connector="other-saml"), "the provider 'twin'"),
        (
            plain("one", connector="twin-saml"),
            plain("two", connector="twin-saml"),
            "the connector 'twin-saml'",
        ),
    ],
)
def test_two_distributions_with_one_key_are_refused(
    install: Callable[..., ModuleType | None], first: str, second: str, clash: str
) -> None:
    install("first", first)
    install("second", second)

    with pytest.raises(PluginError) as failed:
        loader.load()

    assert f"provider-second 1.0 has {clash}, which provider-first 1.0 has as well" in str(failed.value)


def test_a_key_may_not_occur_twice_within_one_distribution_either(
    install: Callable[..., ModuleType | None],
) -> None:
    install("double", plain("double").replace("(Plain(),)", "(Plain(), Plain())"))

    with pytest.raises(PluginError, match="the connector 'double-saml'"):
        loader.load()


def test_providers_come_by_name_and_those_that_take_anything_last(
    install: Callable[..., ModuleType | None],
) -> None:
    sources = {
        "any": plain("any", name="A catch-all").replace(
            'key = "any-saml"', 'key = "any-saml"; takes_any = True'
        ),
        "zeta": plain("zeta", name="beta"),
        "alpha": plain("alpha", name="Gamma"),
    }
    modules = [install(name, source, load=True) for name, source in sources.items()]

    assert [provider.name for provider in plugins_of(*modules).providers] == ["beta", "Gamma", "A catch-all"]


class TestFind:
    def test_a_connector_is_found_by_its_own_key(self, plugins: Plugins) -> None:
        found = plugins.find("acme-oidc", protocol="saml")
        assert found is plugins.connector("acme-oidc")

    def test_a_provider_opens_on_its_first_connector(self, plugins: Plugins) -> None:
        assert plugins.find("acme") is plugins.connector("acme-saml")

    def test_the_protocol_chooses(self, plugins: Plugins) -> None:
        assert plugins.find("acme", protocol="oidc") is plugins.connector("acme-oidc")

    def test_a_field_chooses_the_connector_that_asks_for_it(self, plugins: Plugins) -> None:
        assert plugins.find("acme", field="client_secret") is plugins.connector("acme-oidc")
        assert plugins.find("acme", field="issuer") is plugins.connector("acme-oidc")
        assert plugins.find("acme", field="metadata_file") is plugins.connector("acme-saml")

    def test_one_word_stands_for_a_family_of_both_protocols(
        self, install: Callable[..., ModuleType | None]
    ) -> None:
        oidc = plain("any_oidc", connector="any-oidc").replace("SamlConnector", "OidcConnector")
        plugins = plugins_of(
            install("anysaml", plain("any_saml", connector="any-saml"), load=True),
            install("anyoidc", oidc, load=True),
        )

        assert plugins.find("any", protocol="saml") is plugins.connector("any-saml")
        assert plugins.find("any", protocol="oidc") is plugins.connector("any-oidc")
        assert plugins.find("any", field="issuer") is plugins.connector("any-oidc")

    def test_there_is_no_fallback_for_what_is_not_installed(self, plugins: Plugins) -> None:
        assert plugins.find("nobody") is None
        assert plugins.provider("nobody") is None
        assert plugins.connector("nobody-saml") is None


def test_the_door_is_light() -> None:
    import subprocess
    import sys

    heavy = (
        "[name for name in ('saml2', 'authlib', 'httpcore', 'sqlalchemy', 'pyramid') if name in sys.modules]"
    )
    program = f"import sys, authio.plugin, authio.plugin.report; sys.exit(str({heavy} or ''))"

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stderr.strip() == ""
