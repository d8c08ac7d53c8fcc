"""The scripts and reports that docs/doctor.md shows are what the doctor says."""

from __future__ import annotations

import re
from pathlib import Path

import forked
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
SHOWN = re.findall(
    r"^```python\n(# train\.py\n.*?)^```$.*?^```text\n(.*?)^```$.*?^```report\n(.*?)^```$", PAGE, re.M | re.S
)


def test_the_page_shows_a_faulty_and_a_mended_script() -> None:
    assert len(SHOWN) == 2


@pytest.mark.parametrize(("script", "printed", "report"), SHOWN, ids=["faulty", "mended"])
def test_a_script_of_the_page_gets_the_report_shown(
    server: forked.Server, tmp_path: Path, script: str, printed: str, report: str
) -> None:
    (tmp_path / "train.py").write_text(script, encoding="utf-8")
    done = server.run(["doctor", "train.py"], tmp_path)
    assert done.out == printed
    assert done.err == report
