"""Where the cause of a refused sign-in is put right in most consoles; the rest is said as everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        "secret": (
            "Make a new **Client secret** for this client and bring its value, not its name. Some "
            "consoles need **client secret** chosen as the client's authentication, by Basic or by POST."
        ),
        "audience": "Bring the **Client ID** of the very client in which you entered the redirect URI.",
        "issuer": (
            "Bring the **Issuer** (also: **Authority**) of the provider, realm or tenant in which you "
            "added the client, exactly as it is written in its discovery document."
        ),
        "scopes": "Allow the client the scopes **openid**, **profile** and **email**.",
        "attributes": (
            "Allow the scopes **profile** and **email**, and see that the person has an e-mail address "
            "there and that the token tells it."
        ),
        "keys": (
            "Have ID tokens for this client signed with **RS256** or another asymmetric algorithm, by a "
            "key that the provider publishes."
        ),
        "kind": (
            "The client has to be a **Web application** or **confidential client**, and may use the "
            "**authorization code** flow."
        ),
        "access": (
            "In the provider's console, assign the person who tested: **people or groups** are assigned to "
            "the client you added."
        ),
        "domain": (
            "Test as somebody with an address of your company's: it is what the client gets by the scope "
            "**email**."
        ),
    }
)
