"""Both providers, each behind its port, started and stopped together."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from authio.clock import Clock
from authio.rehearse.credentials import Credentials
from authio.rehearse.oidc import OidcProvider
from authio.rehearse.saml import SamlProvider
from authio.rehearse.switches import OIDC, SAML, every_mistake
from authio.rehearse.web import Listener

SAML_PORT: Final = 6545
OIDC_PORT: Final = 6546


class PortTaken(Exception):
    """A port cannot be listened on; ``port`` is which."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(str(port))


class Rehearsal:
    """The rehearsal's identity provider, answering inside a ``with`` block.

    Ports are bound when it is made; 0 is any that is free.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        clock: Clock | None = None,
        saml_port: int = SAML_PORT,
        oidc_port: int = OIDC_PORT,
    ) -> None:
        time = clock or Clock()
        self._saml_listener = _listener(saml_port)
        try:
            self._oidc_listener = _listener(oidc_port)
        except PortTaken:
            self._saml_listener.close()
            raise
        self.saml = SamlProvider(credentials, url=_address(self._saml_listener), clock=time)
        self.oidc = OidcProvider(credentials, url=_address(self._oidc_listener), clock=time)

    def __enter__(self) -> Self:
        self._saml_listener.start(self.saml)
        self._oidc_listener.start(self.oidc)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._saml_listener.close()
        self._oidc_listener.close()

    def make(self, mistake: str) -> None:
        """Make that mistake from now on, in each protocol that knows it."""
        self.saml.switches.make(mistake)
        self.oidc.switches.make(mistake)


def mistake_names() -> tuple[str, ...]:
    """Every mistake of either protocol by its name."""
    found = (*every_mistake(SAML), *every_mistake(OIDC))
    return tuple(dict.fromkeys(choice.mistake for choice in found))


def _listener(port: int) -> Listener:
    try:
        return Listener(port)
    except OSError:
        raise PortTaken(port) from None


def _address(listener: Listener) -> str:
    return f"http://localhost:{listener.port}"
