"""The demos of the checker: their values by hand."""

from __future__ import annotations

import pytest

from tfgrad.learn import demo


def values_of(name: str) -> dict[str, object]:
    found = demo.named(name)
    assert found is not None
    outcome = demo.run(found)
    assert outcome.holds, str(outcome)
    return {value.name: value.data for value in outcome.values}


def test_a_rule_that_forgets_the_three_is_a_third_of_the_slope() -> None:
    values = values_of("wrong-rule")
    assert values["tg.grad, wrong"] == [1.0, 4.0]
    assert values["numerical"] == pytest.approx(3 * values["reverse"])
    assert values["likely"] == "a factor: a third times what it should be, at all elements"


def test_relu_and_maximum_take_different_sides_of_the_kink() -> None:
    values = values_of("kink")
    assert values["relu at 0"] == 0.0
    assert values["maximum at 0"] == 1.0
    assert values["slopes left, right"] == pytest.approx([0.0, 1.0], abs=1e-3)
    assert "slope 0 on the left, 1 on the right" in str(values["check"])
