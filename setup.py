"""The core distribution. Providers are distributions of their own, under plugins/."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def required(name: str) -> list[str]:
    """The requirements listed in requirements/<name>.in, the one place where they are kept."""
    lines = (HERE / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-"))]


setup(
    name="authio-portal",
    version="0.1.0",
    description="Self-hosted Admin Portal: enterprise customers set up their own single sign-on",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["authio", "authio.*"]),
    package_data={
        "authio": ["py.typed", "templates/**/*", "static/**/*", "locale/**/*", "migrations/**/*"],
    },
    exclude_package_data={"": ["*.pyc"]},
    zip_safe=False,
    install_requires=required("run"),
    extras_require={"test": required("test")},
    entry_points={
        "console_scripts": ["authio = authio.scripts.cli:main"],
        "paste.app_factory": ["main = authio:main"],
        "paste.server_factory": ["main = authio.server:server_factory"],
    },
    classifiers=[
        "Framework :: Pyramid",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: System :: Systems Administration :: Authentication/Directory",
    ],
)
