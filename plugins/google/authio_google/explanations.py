"""Where in Google's consoles the cause of a refused sign-in is put right, by topic."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SAML: Mapping[str, str] = MappingProxyType(
    {
        "signing": (
            "On **Service provider details**, press the edit mark and save once more: Google signs the "
            "assertion, or with **Signed response** the whole response. One of them always comes signed."
        ),
        "algorithm": (
            "Google signs with SHA-256 whatever is set on **Service provider details**. See that the app "
            "was added with **Add custom SAML app** and that no gateway changes what Google sends."
        ),
        "encryption": (
            "Open **Service provider details** and leave the certificate for encrypted assertions empty."
        ),
        "certificate": (
            "On the app's page, press **Download metadata** and bring the file **GoogleIDPMetadata.xml** "
            "once more: the app uses another certificate than the one you brought."
        ),
        "issuer": (
            "The metadata is another Google account's. On this app's page, press **Download metadata** "
            "and bring the file **GoogleIDPMetadata.xml** once more."
        ),
        "address": (
            "On **Service provider details**, **ACS URL** has to be the value below, letter for letter."
        ),
        "audience": (
            "On **Service provider details**, **Entity ID** has to be the value below, letter for letter."
        ),
        "start": (
            "Begin with the button on this page, not with the app in Google's menu, and stay in this "
            "browser. On **Service provider details**, **Start URL** stays empty."
        ),
        "access": (
            "On the app's page, open **User access** and switch it on: **ON for everyone**, or for the "
            "organizational unit the person is in. It can take up to 24 hours to hold."
        ),
        "subject": (
            "On **Service provider details**, set **Name ID format** to **EMAIL** and **Name ID** to "
            "**Basic Information > Primary email**."
        ),
        "attributes": (
            "On **Attribute mapping**, **Primary email** becomes **email**; each name on the right side "
            "stands there once."
        ),
        "groups": (
            "On **Attribute mapping**, under **Group membership (optional)**, choose only the groups that"
            " matter here."
        ),
        "domain": (
            "Test as somebody with an address of your company's. On **Attribute mapping**, **Primary "
            "email** is what is sent as **email**."
        ),
        "nobody": (
            "If Google showed an error: **app_not_configured** means **Entity ID** or **ACS URL**; "
            "compare both with the values below. **app_not_enabled_for_user** means **User access**."
        ),
        "message": (
            "Google does not write such responses by itself. See that the app was added with **Add custom"
            " SAML app**, and that no gateway changes what Google sends."
        ),
        "clock": (
            "Google's clock is right, and nothing on **Service provider details** changes it. Test again;"
            " if it stays like this, the clock here is wrong: tell whoever sent you the link."
        ),
        "refused": (
            "Look through **Service provider details** and **User access**, and test again: Google sends "
            "no person along when all is well there."
        ),
    }
)

OIDC: Mapping[str, str] = MappingProxyType(
    {
        "secret": (
            "Open **Clients**, choose this client, add a new secret, and bring it as **Client secret** "
            "together with **Client ID**. An old one that was switched off is refused."
        ),
        "audience": (
            "Open **Clients** and bring the **Client ID** of this very client; it ends in "
            "**.apps.googleusercontent.com**."
        ),
        "issuer": (
            "Google is one issuer for everybody. See under **Clients** that the client is Google's own, "
            "and that no gateway answers in Google's place."
        ),
        "address": (
            "Open **Clients**, choose this client: **Authorized redirect URIs** has to hold the value "
            "below, letter for letter."
        ),
        "access": (
            "Under **Audience**, **Internal** lets in the people of your own organization only: test with"
            " one of their accounts, and agree when Google asks."
        ),
        "kind": (
            "Under **Clients**, **Application type** has to be **Web application**; another type cannot "
            "be changed, so press **Create client** for a new one."
        ),
        "scopes": (
            "Google grants openid, profile and email to every client whose **Audience** is **Internal**. "
            "See that Google's administrator has not blocked the app, and test again."
        ),
        "keys": (
            "Google signs with its own published keys. See under **Clients** that the client is Google's "
            "own, and test again."
        ),
        "attributes": (
            "Every account of Google's has an address. Test with an account of your organization, as "
            "chosen under **Audience**, **Internal**."
        ),
        "domain": (
            "The account is of another domain. Test with one of yours, or bring all your Workspace "
            "domains under **Hosted domains**."
        ),
        "start": (
            "Begin with the button on this page and stay in this browser. **Authorized redirect URIs** "
            "holds the value you were given."
        ),
        "endpoint": (
            "Open **Clients** and see that the client and its secret are switched on, then test again."
        ),
        "clock": (
            "Google's clock is right, and nothing under **Clients** changes it. Test again; if it stays "
            "like this, the clock here is wrong: tell whoever sent you the link."
        ),
        "nobody": (
            "If Google showed an error: **redirect_uri_mismatch** means **Authorized redirect URIs**; "
            "compare it with the value below. An account from elsewhere is stopped by **Audience**, "
            "**Internal**."
        ),
    }
)
