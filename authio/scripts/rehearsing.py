"""``authio rehearse``: an identity provider on loopback to try everything with, mistakes on request."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from authio.clock import Clock
from authio.errors import StartupError
from authio.rehearse.credentials import Credentials, Unusable
from authio.rehearse.rehearsal import PortTaken, Rehearsal, mistake_names

_GREETING = """
  A rehearsal identity provider is running, for this machine only. It lets in everybody.

  SAML: console at {saml}
    metadata URL   {metadata}
    also there     the entity ID, the single sign-on URL and the certificate, for typing in

  OpenID Connect: console at {oidc}
    issuer         {oidc}
    client ID      {client_id}
    client secret  {client_secret}

  To try:
    - open a setup link, pick another SAML or OpenID Connect provider, and paste the values above
    - switch a mistake on in a console, sign in, and see whether what you are told would have helped you
    - authio rehearse --mistake wrong-audience   (authio rehearse --list-mistakes has them all)

  Keys and secret are kept in {path}, so that connections outlive a restart.
{made}  Ctrl-C stops.
"""


def rehearse(arguments: argparse.Namespace) -> None:
    """Answer on both ports until SIGINT or SIGTERM; or list the mistakes that can be made."""
    if arguments.list_mistakes:
        print("\n".join(mistake_names()))
        return
    unknown = [name for name in arguments.mistake if name not in mistake_names()]
    if unknown:
        raise StartupError([f"There is no mistake {name!r}: see --list-mistakes." for name in unknown])
    try:
        credentials = Credentials.kept(Path(arguments.keys), Clock().now())
        rehearsal = Rehearsal(credentials, saml_port=arguments.saml_port, oidc_port=arguments.oidc_port)
    except Unusable as problem:
        raise StartupError([str(problem)]) from None
    except PortTaken as taken:
        raise StartupError(
            [f"Port {taken.port} is in use. Choose another with --saml-port or --oidc-port."]
        ) from None
    for name in arguments.mistake:
        rehearsal.make(name)
    _run(rehearsal, _greeting(rehearsal, credentials, arguments))


def _greeting(rehearsal: Rehearsal, credentials: Credentials, arguments: argparse.Namespace) -> str:
    made = f"  Mistakes that are switched on: {', '.join(arguments.mistake)}\n" if arguments.mistake else ""
    return _GREETING.format(
        saml=rehearsal.saml.url,
        metadata=rehearsal.saml.entity_id,
        oidc=rehearsal.oidc.issuer,
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        path=arguments.keys,
        made=made,
    )


def _run(rehearsal: Rehearsal, greeting: str) -> None:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with rehearsal:
        print(greeting, flush=True)
        stopping.wait()
    print("authio: stopped.", flush=True)
