"""The distribution authio-provider-generic-oidc: any OpenID Connect provider, for authio."""

from pathlib import Path

from setuptools import setup

setup(
    name="authio-provider-generic-oidc",
    version="0.1.0",
    description="Any OpenID Connect provider for the authio Admin Portal",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=["authio_generic_oidc"],
    package_data={"authio_generic_oidc": ["py.typed", "steps/*.toml", "assets/*.svg"]},
    install_requires=["authio-portal", "colander"],
    entry_points={"authio.providers": ["generic_oidc = authio_generic_oidc"]},
    zip_safe=False,
)
