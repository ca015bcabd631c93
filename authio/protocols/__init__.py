"""How SAML and OpenID Connect are spoken: values in, values or a named refusal out."""
