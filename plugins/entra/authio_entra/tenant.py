"""The IDs Entra gives to tenants and applications, and the words that stand for any tenant."""

from __future__ import annotations

import re

HOSTS = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")
"""Where people sign in: worldwide, United States government, China."""

GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

CONSOLES = (
    r"(?:entra|portal|admin|myapps|myapplications|launcher\.myapps)\.microsoft\.(?:com|us)(?:[/?].*)?",
    r"portal\.azure\.(?:com|us|cn)(?:[/?].*)?",
)
"""The admin centers and the page on which people find their applications."""

_ANY_TENANT = ("common", "organizations", "consumers")


def read_guid(text: str) -> str | None:
    """The ID in *text*, in lower case and without braces, or ``None`` if it holds anything else."""
    bare = text.strip("{} ").lower()
    return bare if re.fullmatch(GUID, bare) else None


def is_any_tenant(text: str) -> bool:
    """Whether *text* is a word that Entra takes in place of a tenant."""
    return text.lower() in _ANY_TENANT


def is_for_any_tenant(path: str) -> bool:
    """Whether an address with this path belongs to every tenant and so to none."""
    return is_any_tenant(path.lstrip("/").partition("/")[0])
