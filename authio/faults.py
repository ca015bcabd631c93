"""Named instants at which a test can end the process, so that the order of effects can be proven.

``AUTHIO_FAULT=<name>`` makes the process end there as if it had been killed: no clean-up, no answer.
Without it, :func:`fault` does nothing.
"""

from __future__ import annotations

import os

FAULT_POINTS = (
    "mint.before-commit",
    "mint.after-commit",
    "save.after-consume",
    "save.after-connection",
    "save.after-events",
    "save.after-commit",
    "commit.before-bell",
)
"""Every instant that has a name. A test visits each of them."""

_ARMED = os.environ.get("AUTHIO_FAULT", "")


def fault(name: str) -> None:
    """End the process at once, with status 137, if a test has armed *name*."""
    if name == _ARMED:
        os._exit(137)
