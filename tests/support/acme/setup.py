"""The distribution authio-provider-acme: a made-up identity provider, as a stranger would add one."""

from pathlib import Path

from setuptools import setup

setup(
    name="authio-provider-acme",
    version="1.0.0",
    description="Acme ID for the authio Admin Portal",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=["authio_acme"],
    package_data={"authio_acme": ["py.typed", "steps/*.toml", "assets/*.svg"]},
    install_requires=["authio-portal", "colander"],
    entry_points={"authio.providers": ["acme = authio_acme"]},
    zip_safe=False,
)
