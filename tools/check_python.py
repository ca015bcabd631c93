"""Says what is wrong with the Python that `make` was given. Runs on any Python 3, however old."""

import sys

NEEDED = (3, 11)


def problem():
    """One sentence, or nothing when this Python will do."""
    if sys.version_info < NEEDED:
        found = "{} is {}.{}".format(sys.executable, *sys.version_info[:2])
        return "authio needs Python 3.11 or newer; {}. Name another: make PYTHON=python3.12 ...".format(found)
    try:
        import ensurepip  # noqa: F401  (what `python -m venv` fails without)
        import venv  # noqa: F401
    except ImportError as missing:
        return "{} has no module {}. On Debian and Ubuntu: apt-get install python3-venv".format(
            sys.executable, missing.name
        )
    return None


if __name__ == "__main__":
    sys.exit(problem())
