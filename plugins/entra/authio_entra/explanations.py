"""Where in the Microsoft Entra admin center the cause of a refused sign-in is put right, by topic."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SAML: Mapping[str, str] = MappingProxyType(
    {
        "signing": (
            "In **SAML Certificates**, press **Edit** and set **Signing Option** to **Sign SAML "
            "assertion** or **Sign SAML response and assertion**."
        ),
        "algorithm": (
            "In **SAML Certificates**, press **Edit** and set **Signing Algorithm** to **SHA-256**; in "
            "the application's menu, **Token encryption** has to be without an active certificate."
        ),
        "encryption": (
            "In the application's menu, open **Token encryption** and deactivate the certificate there."
        ),
        "certificate": (
            "In **SAML Certificates**, copy **App Federation Metadata Url** once more and bring it: with "
            "its ending **?appid=**, or it describes your whole tenant with other keys."
        ),
        "issuer": (
            "The details are another tenant's. In **SAML Certificates** of this very application, copy "
            "**App Federation Metadata Url** once more and bring it."
        ),
        "address": (
            "In **Basic SAML Configuration**, **Reply URL (Assertion Consumer Service URL)** has to be "
            "the value below, letter for letter, and the default where there are several."
        ),
        "audience": (
            "In **Basic SAML Configuration**, **Identifier (Entity ID)** has to be the value below, "
            "letter for letter, and the default where there are several."
        ),
        "start": (
            "Begin with the button on this page, not with Entra's own Test or My Apps, and stay in this "
            "browser. In **Basic SAML Configuration**, **Relay State** and **Sign on URL** stay empty."
        ),
        "access": (
            "Open **Users and groups**, press **Add user/group**, and add this person or a group they are"
            " directly in. AADSTS50105 in Entra's sign-in log says the same."
        ),
        "subject": (
            "In **Attributes & Claims**, press **Edit** and set **Unique User Identifier (Name ID)** back"
            " to user.userprincipalname with the format Email address."
        ),
        "attributes": (
            "In **Attributes & Claims**, **emailaddress** has to be there, with a **Source attribute** "
            "that this person has: **user.mail** needs **Email** on the user's profile, "
            "**user.userprincipalname** everybody has."
        ),
        "groups": (
            "In **Attributes & Claims**, press **Edit** and set the group claim to **Groups assigned to "
            "the application**."
        ),
        "domain": (
            "Test as somebody with an address of your company's. In **Attributes & Claims**, the **Source"
            " attribute** of **emailaddress** says which address is sent; a guest has that of another "
            "company."
        ),
        "nobody": (
            "If Microsoft showed an error: AADSTS700016 means **Identifier (Entity ID)**, AADSTS50011 "
            "means **Reply URL (Assertion Consumer Service URL)**; compare both with the values below. "
            "AADSTS50105 means **Users and groups**."
        ),
        "message": (
            "Entra does not write such responses by itself. See that **Single sign-on** of the "
            "application is **SAML**, and that no gateway changes what Entra sends."
        ),
        "clock": (
            "Entra's clock is right, and nothing on **Single sign-on** changes it. Test again; if it "
            "stays like this, the clock here is wrong: tell whoever sent you the link."
        ),
        "refused": (
            "Entra's sign-in log, in the application's menu, says what failed. Then look through **Basic "
            "SAML Configuration** and **Attributes & Claims**, and test again."
        ),
    }
)

OIDC: Mapping[str, str] = MappingProxyType(
    {
        "secret": (
            "On **Certificates & secrets**, press **New client secret** and bring the column **Value**, "
            "not **Secret ID**. An expired secret is refused like a wrong one."
        ),
        "audience": (
            "On **Overview**, copy **Application (client) ID** once more and bring it: not **Object ID**."
        ),
        "issuer": (
            "On **Overview**, copy **Directory (tenant) ID** once more and bring it: another tenant's "
            "people come from another issuer."
        ),
        "address": (
            "Under **Authentication**, in the platform **Web**, the redirect URI has to be the value "
            "below, letter for letter. A **Single-page application (SPA)** has to be made anew as "
            "**Web**."
        ),
        "access": (
            "Entra's sign-in log says why. If the enterprise application asks for assignment, add the "
            "person under **Users and groups**; if Entra asks for consent, an administrator gives it "
            "once."
        ),
        "kind": (
            "Under **Authentication**, the platform has to be **Web**; a **Single-page application "
            "(SPA)** gets no secret."
        ),
        "scopes": (
            "Under **API permissions**, the delegated permissions openid, profile and email of Microsoft "
            "Graph have to be there and agreed to."
        ),
        "keys": (
            "Entra signs tokens with the keys of your tenant. On **Overview**, compare **Directory "
            "(tenant) ID** and **Application (client) ID** with what you brought."
        ),
        "attributes": (
            "On **Token configuration**, press **Add optional claim**, choose **ID** and tick **email**, "
            "**family_name** and **given_name**. The user's profile needs an **Email** to be sent."
        ),
        "domain": (
            "The person belongs to another directory or has an address of another company. On "
            "**Overview**, compare **Directory (tenant) ID**, and test as somebody of your own."
        ),
        "start": (
            "Begin with the button on this page and stay in this browser. **Redirect URI (Web)** holds "
            "the value you were given."
        ),
        "endpoint": (
            "On **Certificates & secrets**, see that the secret has not expired, and test again. Entra's "
            "sign-in log says more."
        ),
        "clock": (
            "Entra's clock is right, and nothing on **Overview** changes it. Test again; if it stays like"
            " this, the clock here is wrong: tell whoever sent you the link."
        ),
        "nobody": (
            "If Microsoft showed an error: AADSTS50011 means **Redirect URI (Web)**; compare it with the "
            "value below. AADSTS700016 means **Application (client) ID** or **Directory (tenant) ID**."
        ),
    }
)
