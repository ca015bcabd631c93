"""Where the cause of a refused sign-in is put right in most consoles; the rest is said as everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        "access": (
            "In the provider's console, assign the person who tested: **people or groups** are assigned to "
            "the application you added for **SAML 2.0**, which has to be switched on."
        ),
        "subject": "Set the **Name ID** to the person's e-mail address, in the format **emailAddress**.",
        "attributes": (
            "In the application's attributes (also: claims, mappings), send **email** with the person's "
            "address, once; **firstName** and **lastName** likewise."
        ),
        "groups": "In the application's attributes, send fewer **groups**: only those that matter here.",
        "certificate": (
            "The provider signs with another key than the one you brought. Bring its present **IdP "
            "metadata** (also: **federation metadata**, **descriptor**)."
        ),
        "issuer": (
            "Bring the **IdP metadata** of the very provider, realm or tenant in which you added the "
            "application."
        ),
        "signing": (
            "In the application's settings, have the assertion signed, or the whole response, with "
            "**SHA-256** or better."
        ),
        "algorithm": (
            "In the application's settings, choose **SHA-256** or better for signature and digest, and "
            "switch encryption off or to AES-GCM."
        ),
        "start": (
            "Begin with the button on this page, not with a tile of the provider's, and stay in this "
            "browser. **RelayState** or **Start URL** stays empty."
        ),
        "address": (
            "The **ACS URL** of the application has to be the value below, letter for letter; "
            "**Recipient** and **Destination** as well, where the console asks for them."
        ),
        "domain": (
            "Test as somebody with an address of your company's: it is what the application sends as "
            "**email**."
        ),
    }
)
