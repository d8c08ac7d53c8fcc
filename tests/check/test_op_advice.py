"""What the table says to use instead runs, has a gradient, and has the same value where it is to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tfgrad

SCRIPTS = Path(__file__).parents[2] / "scripts"
NAMES = sorted(op.name for op in tfgrad.ops() if op.instead and not op.instead.startswith("nothing"))


@pytest.fixture
def advice(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    from op_specs import advice

    return advice


def test_the_table_says_what_the_specs_say(advice: Any) -> None:
    assert {op.name: op.instead for op in tfgrad.ops() if op.instead} == {
        name: given.text for name, given in advice.instead().items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_to_use_instead_runs_and_has_a_gradient(name: str, advice: Any) -> None:
    given = advice.instead()[name]
    if not given.by:
        advice.value(given)
        return
    gradient = advice.gradient(given)
    assert gradient is not None
    numbers = tf.convert_to_tensor(gradient).numpy()
    assert np.isfinite(numbers).all()
    assert np.abs(numbers).max() > 0


@pytest.mark.parametrize("name", NAMES)
def test_what_to_use_instead_has_the_value_it_stands_for(name: str, advice: Any) -> None:
    given = advice.instead()[name]
    if not given.like:
        assert given.say or given.by
        return
    pairs = zip(advice.floats(advice.value(given)), advice.floats(advice.original(given)), strict=True)
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=given.tolerance)
