"""An OpenID provider as a process of its own. ``… openid_provider PORT REDIRECT_URI …`` runs it."""

from __future__ import annotations

import signal
import sys
import threading

from tests.support.oidc_keys import signing_key
from tests.support.oidc_provider import Client, OidcProvider

CLIENT_ID = "benchmark"
CLIENT_SECRET = "a-secret-of-the-benchmark-and-of-nothing-else"


def main() -> None:
    """Serve until SIGTERM."""
    port, *redirect_uris = sys.argv[1:]
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    client = Client(client_id=CLIENT_ID, secret=CLIENT_SECRET, redirect_uris=tuple(redirect_uris))
    # RS256 is what nearly all providers sign with.
    with OidcProvider(keys=(signing_key("RS256", kid="rs-1"),), client=client, port=int(port)):
        ended.wait()


if __name__ == "__main__":
    main()
