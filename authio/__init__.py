"""authio: a self-hosted Admin Portal for enterprise single sign-on and directory sync."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def main(global_config: dict[str, str], **ini: str) -> Any:
    """The WSGI application of ``[app:main]``. StartupError lists everything that is wrong with *ini*."""
    # Imported here, so that `authio.webhooks` stays importable on its own, without the server.
    import os

    from authio.app import Runtime
    from authio.settings import Settings

    return Runtime(Settings.load(ini, os.environ)).wsgi()
