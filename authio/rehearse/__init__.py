"""An identity provider for rehearsals: SAML and OpenID Connect on loopback, mistakes on request.

It stands for somebody else's server. So it is built on lxml, cryptography and the standard library alone, and
shares nothing with the code that judges what it sends: a fault in one cannot hide behind its twin.
"""
