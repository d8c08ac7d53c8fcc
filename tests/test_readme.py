"""What the README and the pages of docs/ show is what happens: their code runs, and prints the text that follows it."""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import re
import shlex
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block; `printed` is the text block right after it."""

    language: str
    line: int
    code: str
    printed: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = [
        (m[1], text[: m.start()].count("\n") + 1, m[2])
        for m in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    ]
    following = [*found[1:], ("", 0, "")]
    return [
        Block(language, line, code, after if next_language == "text" else None)
        for (language, line, code), (next_language, _, after) in zip(found, following, strict=True)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run_in_order_and_print_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("__readme__")  # AutoGraph looks a function's module up
    monkeypatch.setitem(sys.modules, "__readme__", module)
    for block in blocks(page):
        if block.language != "python":
            continue
        out = io.StringIO()
        # A file for each block, as AutoGraph reads functions of earlier ones; train.py where the text quotes it.
        script = tmp_path / ("train.py" if "train.py:" in (block.printed or "") else f"block{block.line}.py")
        script.write_text(block.code, encoding="utf-8")
        linecache.checkcache(str(script))
        code = compile(block.code, str(script), "exec")
        with contextlib.redirect_stdout(out):
            exec(code, vars(module))
        assert out.getvalue() == (block.printed or ""), f"{page.name}, line {block.line}"


COMMANDS = [
    pytest.param(block, id=f"{page.name}:{block.line}")
    for page in PAGES
    for block in blocks(page)
    if block.language == "sh" and block.printed is not None
]


@pytest.mark.parametrize("block", COMMANDS)
def test_commands_print_what_is_shown(block: Block, tmp_path: Path) -> None:
    words = shlex.split(block.code)
    assert words[:3] == ["python", "-m", "tfgrad"]
    env = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, *words[1:]], capture_output=True, text=True, encoding="utf-8", env=env, cwd=tmp_path
    )
    assert done.stdout.rstrip("\n") == (block.printed or "").rstrip("\n")


def test_every_command_of_the_readme_is_there() -> None:
    mentioned = {words[2] for block in blocks(ROOT / "README.md") if block.language == "sh"
                 for line in block.code.splitlines() if (words := line.split())[:2] == ["python", "-m"]}  # fmt: skip
    assert mentioned == {"tfgrad"}
    for script in re.findall(r"scripts/\w+\.py", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert (ROOT / script).exists(), script


def test_the_api_table_names_every_public_name() -> None:
    import tfgrad

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in tfgrad.__all__ if not name.startswith("__") and f"`{name}" not in text]
    assert not missing
