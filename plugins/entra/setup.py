"""The distribution authio-provider-entra: Microsoft Entra ID as a provider of authio."""

from pathlib import Path

from setuptools import setup

setup(
    name="authio-provider-entra",
    version="0.1.0",
    description="Microsoft Entra ID for the authio Admin Portal: SAML 2.0 and OpenID Connect",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=["authio_entra"],
    package_data={"authio_entra": ["py.typed", "steps/*.toml", "assets/*.svg"]},
    install_requires=["authio-portal", "colander"],
    entry_points={"authio.providers": ["entra = authio_entra"]},
    zip_safe=False,
)
