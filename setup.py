"""Which packages the distribution holds; everything else about it is in pyproject.toml.

Three places: the root (`services`, `gateway`), the generated code (`lead`, from protos/gen), and the site packs, which
a wheel carries as `services/shared/sites/packs` while a checkout reads them from deploy/sites.
"""

from __future__ import annotations

from setuptools import find_namespace_packages, setup

DATA = ["*.toml", "*.cedar", "*.cedarschema", "*.sql", "*.json", "*.xml", "*.html", "*.css", "*.js", "*.svg", "*.mako"]

setup(
    packages=[
        *find_namespace_packages(include=["services*", "gateway*"], exclude=["*__pycache__*"]),
        *find_namespace_packages("protos/gen", include=["lead*"], exclude=["*__pycache__*"]),
        "services.shared.sites.packs",
    ],
    package_dir={"lead": "protos/gen/lead", "services.shared.sites.packs": "deploy/sites"},
    package_data={"": [*DATA, "*.pyi", "py.typed"]},
)
