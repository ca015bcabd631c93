"""Where in Okta's Admin Console the cause of a refused sign-in is put right, by topic."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SAML: Mapping[str, str] = MappingProxyType(
    {
        "signing": (
            "On **Configure SAML** (**General** tab, SAML Settings, Edit), open **Show Advanced "
            "Settings** and set **Response** and **Assertion Signature** to **Signed**."
        ),
        "algorithm": (
            "On **Configure SAML** (**General** tab, SAML Settings, Edit), open **Show Advanced "
            "Settings** and set **Signature Algorithm** to **RSA-SHA256** and **Assertion Encryption** to"
            " **Unencrypted**."
        ),
        "encryption": (
            "On **Configure SAML** (**General** tab, SAML Settings, Edit), open **Show Advanced "
            "Settings** and set **Assertion Encryption** to **Unencrypted**."
        ),
        "certificate": (
            "On the **Sign On** tab, under **SAML Signing Certificates**, see which certificate is "
            "active. Then bring **Metadata URL**, or the XML behind **View IdP metadata**, once more."
        ),
        "issuer": (
            "The metadata is another application's. Open this application's **Sign On** tab and bring its"
            " **Metadata URL** once more."
        ),
        "address": (
            "On **Configure SAML** (**General** tab, SAML Settings, Edit), **Single sign-on URL** has to "
            "be the value below, letter for letter, with **Use this for Recipient URL and Destination "
            "URL** ticked."
        ),
        "audience": (
            "On **Configure SAML** (**General** tab, SAML Settings, Edit), **Audience URI (SP Entity "
            "ID)** has to be the value below, letter for letter."
        ),
        "start": (
            "Begin with the button on this page, not with the tile on Okta's dashboard, and stay in this "
            "browser. On **Configure SAML**, **Default RelayState** stays empty."
        ),
        "access": (
            "Open the **Assignments** tab, press **Assign**, and choose **Assign to People** or **Assign "
            "to Groups** so that this person is in."
        ),
        "subject": (
            "On **Configure SAML** (**General** tab, SAML Settings, Edit), set **Name ID format** to "
            "**EmailAddress** and **Application username** to **Email**."
        ),
        "attributes": (
            "On the **Sign On** tab, under **Attribute statements**, send the name **email** with the "
            "person's address, and each name once. The person's Okta profile needs an address to be sent."
        ),
        "groups": (
            "On the **Sign On** tab, under **Attribute statements**, narrow the filter of **groups** to "
            "the groups that matter here."
        ),
        "domain": (
            "Test as somebody with an address of your company's, and see on the **Sign On** tab, under "
            "**Attribute statements**, that **email** is the address people work with."
        ),
        "nobody": (
            "If Okta showed an error page: compare **Single sign-on URL** and **Audience URI (SP Entity "
            "ID)** with the values below, and see on the **Assignments** tab that the person is assigned."
        ),
        "message": (
            "Okta does not write such responses by itself. See that the application is the one made with "
            "**Create App Integration**, and that no gateway changes what Okta sends."
        ),
        "clock": (
            "Okta's clock is right as a rule, and no setting on **Configure SAML** changes it. Test "
            "again; if it stays like this, the clock here is wrong: tell whoever sent you the link."
        ),
        "refused": (
            "Okta's System Log (Reports) says what failed. Then look through **Configure SAML** and the "
            "**Sign On** tab, and test again."
        ),
    }
)

OIDC: Mapping[str, str] = MappingProxyType(
    {
        "secret": (
            "On the **General** tab, under **CLIENT SECRETS**, copy the active secret, or make a new one,"
            " and bring it together with **Client ID**."
        ),
        "audience": "Bring the **Client ID** from the **General** tab of this very application.",
        "issuer": (
            "Your Okta domain and an authorization server are two issuers. Bring the domain your people "
            "sign in at, or the **Issuer URI** under **Security**, **API**, **Authorization Servers**."
        ),
        "address": (
            "On the **General** tab, **Sign-in redirect URIs** has to hold the value below, letter for "
            "letter."
        ),
        "access": (
            "Open the **Assignments** tab and assign this person or one of their groups. With **Skip "
            "group assignment for now** nobody is assigned."
        ),
        "kind": (
            "The application has to be a **Web Application** with **Authorization Code** ticked under "
            "**Grant type**. A **Single-Page Application** cannot be turned into one: make a new one."
        ),
        "scopes": (
            "Bring the Okta domain instead of an authorization server's **Issuer URI**, or allow the "
            "scopes openid, profile and email there (**Security**, **API**, **Authorization Servers**)."
        ),
        "keys": (
            "Tokens are signed by the authorization server of the **Issuer URI**. See under **Security**,"
            " **API**, **Authorization Servers** that its keys are published and rotated by Okta."
        ),
        "attributes": (
            "The person's Okta profile needs an e-mail address. Where **Sign On**, **OpenID Connect ID "
            "Token** shows claims of your own, email must not be among them twice."
        ),
        "domain": (
            "Test as somebody with an address of your company's; who may come is said on the "
            "**Assignments** tab."
        ),
        "start": (
            "Begin with the button on this page, not with the tile on Okta's dashboard, and stay in this "
            "browser. **Sign-in redirect URIs** holds the value you were given and nothing else."
        ),
        "endpoint": "See at the top of the **General** tab that the application is active, and test again.",
        "clock": (
            "Okta's clock is right as a rule, and nothing on the **General** tab changes it. Test again; "
            "if it stays like this, the clock here is wrong: tell whoever sent you the link."
        ),
        "nobody": (
            "If Okta showed an error page: compare **Sign-in redirect URIs** with the value below, and "
            "see on the **Assignments** tab that the person is assigned."
        ),
    }
)
