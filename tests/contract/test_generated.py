"""What is generated is what the contract says now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_generated_code_is_current() -> None:
    command = [sys.executable, str(ROOT / "protos" / "generate.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr


def test_every_proto_has_its_generated_code() -> None:
    protos = {path.relative_to(ROOT / "protos").with_suffix("") for path in (ROOT / "protos" / "lead").rglob("*.proto")}
    assert protos
    for proto in protos:
        generated = ROOT / "protos" / "gen" / proto.parent / f"{proto.name}_pb2.py"
        assert generated.exists(), generated
