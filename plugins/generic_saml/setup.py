"""The distribution authio-provider-generic-saml: any SAML 2.0 identity provider, for authio."""

from pathlib import Path

from setuptools import setup

setup(
    name="authio-provider-generic-saml",
    version="0.1.0",
    description="Any SAML 2.0 identity provider for the authio Admin Portal",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=["authio_generic_saml"],
    package_data={"authio_generic_saml": ["py.typed", "steps/*.toml", "assets/*.svg"]},
    install_requires=["authio-portal", "colander"],
    entry_points={"authio.providers": ["generic_saml = authio_generic_saml"]},
    zip_safe=False,
)
