"""Slopes from values alone: their error bounds hold; kinks, edges, jumps and rounding are seen for what they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgrad.check import numbers
from tfgrad.check.numbers import DOUBLE, Line, Slope


def slope(f: Callable[[float], float], x: float, unit: float = 1.0) -> Slope:
    def vector(point: np.ndarray) -> np.ndarray:
        try:
            return np.array([f(float(point[0]))])
        except ValueError:
            return np.array([np.nan])

    start = np.array([x])
    line = Line(vector, start, np.array([unit]), DOUBLE, vector(start))
    line.look((*DOUBLE.first, *DOUBLE.rest))
    line.measure_noise()
    return line.slope()


KNOWN = [
    (math.sin, 0.7, math.cos(0.7)),
    (math.exp, 3.0, math.exp(3.0)),
    (lambda x: math.sin(1e6 * x), 0.3, 1e6 * math.cos(3e5)),
    (lambda x: 1e6 + math.sin(x), 0.7, math.cos(0.7)),
    (lambda x: abs(x - 1e-5), 0.0, -1.0),
    (lambda x: x**20, 1.5, 20 * 1.5**19),
    (math.log, 1e-2, 100.0),
    (lambda x: x + 1e-3 * math.sin(1e3 * x), 0.3, 1 + math.cos(300.0)),
]


@pytest.mark.parametrize(("f", "x", "derivative"), KNOWN)
def test_the_slope_is_within_its_error_bound(f: Callable[[float], float], x: float, derivative: float) -> None:
    found = slope(f, x)
    assert found.status[0] == numbers.SMOOTH
    assert abs(found.value[0] - derivative) <= 10 * found.error[0]
    assert found.error[0] <= 1e-5 * abs(derivative)


@settings(deadline=None, max_examples=60)
@given(st.floats(-3, 3), st.floats(-2, 2), st.floats(-2, 2), st.floats(0.1, 3))
def test_error_bounds_hold_for_any_wave_on_a_parabola(x: float, a: float, b: float, c: float) -> None:
    found = slope(lambda t: a * t * t + b * math.sin(c * t), x)
    derivative = 2 * a * x + b * c * math.cos(c * x)
    assert found.status[0] != numbers.SMOOTH or abs(found.value[0] - derivative) <= 10 * found.error[0] + 1e-13


@pytest.mark.parametrize(
    ("f", "x", "status"),
    [
        (abs, 0.0, numbers.KINK),
        (lambda x: max(x, 0.0), 0.0, numbers.KINK),
        (math.sqrt, 0.0, numbers.EDGE),
        (math.acos, 1.0, numbers.EDGE),
        (lambda x: math.copysign(abs(x) ** (1 / 3), x), 0.0, numbers.SINGULAR),
        (lambda x: math.floor(x), 1.0, numbers.SINGULAR),
        (lambda x: abs(x) ** 1.5, 0.0, numbers.SMOOTH),
    ],
)
def test_what_a_function_looks_like(f: Callable[[float], float], x: float, status: int) -> None:
    assert slope(f, x).status[0] == status


def test_values_rounded_inside_have_a_second_slope() -> None:
    found = slope(lambda x: float(np.float32(math.sin(np.float32(x)))), 0.7)
    either = [(found.value[0], found.error[0]), (found.other[0], found.other_error[0])]
    assert any(abs(value - math.cos(0.7)) <= 10 * error < 1e-2 for value, error in either)
