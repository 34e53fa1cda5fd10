"""Generate Python code and its type stubs from the contract: `python protos/generate.py [--check]`.

Writes protos/gen anew; with --check writes nothing there and fails when what lies there is not what the contract says.
Also fills .cache/protos with the google/api and google/rpc files of the googleapis-common-protos package, where protoc
and buf find them without a network.
"""

from __future__ import annotations

import argparse
import filecmp
import importlib.resources
import re
import shutil
import sys
import tempfile
from pathlib import Path

from google import api
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = PROTOS / "gen"
GOOGLE = ROOT / ".cache" / "protos"
# What the contract may import from Google, beside protobuf's own well-known types.
GOOGLE_PACKAGES = ("api", "rpc", "type")


def main() -> int:
    """Generate or check; returns the exit code."""
    arguments = argparse.ArgumentParser(description="Generate code from the contract.")
    arguments.add_argument("--check", action="store_true", help="fail when protos/gen is not current; write nothing")
    check = arguments.parse_args().check
    copy_google_protos()
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        if code := generate(fresh):
            return code
        if check:
            return report(differences(fresh, GENERATED))
        replace(fresh)
    return 0


def copy_google_protos() -> None:
    """Copy Google's .proto files out of the installed package into .cache/protos."""
    source = Path(next(iter(api.__path__))).parent
    for package in GOOGLE_PACKAGES:
        for file in sorted((source / package).rglob("*.proto")):
            target = GOOGLE / "google" / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def generate(out: Path) -> int:
    """Write modules, stubs and package markers for the whole contract into `out`; returns protoc's code."""
    files = sorted((PROTOS / "lead").rglob("*.proto"))
    serving = [file for file in files if re.search(r"^service ", file.read_text(encoding="utf-8"), re.MULTILINE)]
    code = run_protoc(files, f"--python_out={out}", f"--mypy_out=quiet:{out}")
    if code == 0 and serving:
        code = run_protoc(serving, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}")
    # Regular packages: found alike by the interpreter, the type checker and an editable install.
    for folder in [out / "lead", *(out / "lead").rglob("*/")]:
        (folder / "__init__.py").touch()
    return code


def run_protoc(files: list[Path], *outputs: str) -> int:
    """Run protoc with the plugins that lie beside this interpreter; returns its code."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    plugins = Path(sys.executable).parent
    return int(
        protoc.main(
            [
                "protoc",
                *(f"--proto_path={place}" for place in (PROTOS, GOOGLE, well_known)),
                *(f"--plugin={name}={plugins / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")),
                *outputs,
                *(str(file.relative_to(PROTOS)) for file in files),
            ]
        )
    )


def replace(fresh: Path) -> None:
    """Make protos/gen equal to `fresh`, touching only what differs: running processes keep their modules."""
    wanted = {file.relative_to(fresh) for file in fresh.rglob("*") if file.is_file()}
    for name in differences(fresh, GENERATED):
        target = GENERATED / name
        if name in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh / name, target)
        else:
            target.unlink()


def differences(fresh: Path, present: Path) -> list[Path]:
    """Return the names, relative to both folders, of files that are missing, left over or different."""
    names = {
        file.relative_to(folder)
        for folder in (fresh, present)
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    return sorted(name for name in names if not same(fresh / name, present / name))


def same(one: Path, other: Path) -> bool:
    """Tell whether both files exist with equal bytes."""
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)


def report(stale: list[Path]) -> int:
    """Name the stale files; returns the exit code."""
    for name in stale:
        print(f"protos/gen/{name} is not what the contract says: run `make gen`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
