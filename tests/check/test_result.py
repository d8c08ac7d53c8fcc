"""A Check as data, as text, as a rich table, as HTML."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
import rich.console
import tensorflow as tf

import tfgrad

X = tf.constant([0.5, -1.0, 2.0], tf.float64)


@pytest.fixture(scope="module")
def wrong() -> tfgrad.Check:
    f = tfgrad.custom_gradient(lambda x: (x * x, lambda dy: -2 * x * dy))
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(f, (X,))
    found: tfgrad.Check = caught.value.check  # type: ignore[attr-defined]
    return found


def test_a_check_is_frozen_and_says_all_in_plain_text(wrong: tfgrad.Check) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        wrong.order = 2  # type: ignore[misc]
    assert str(wrong).startswith("check_grads: <lambda> by args[0]: wrong (reverse and forward; order 1;")
    assert "likely    the sign" in str(wrong)


def test_json_holds_what_the_text_says(wrong: tfgrad.Check) -> None:
    data = json.loads(json.dumps(wrong.to_dict(), allow_nan=False))
    (found,) = data["mismatches"]
    assert data["schema"] == 1
    assert data["ok"] is False
    assert found["element"].startswith("args[0][")
    assert found["relative"] == pytest.approx(2.0)
    assert found["rule"]["line"] > 0


def test_nan_is_a_string_in_json() -> None:
    with pytest.raises(tfgrad.GradientMismatch) as caught:
        tfgrad.check_grads(lambda x: tf.where(x > 0, x**0.5, 0.0), (X,), modes=("rev",))
    data = caught.value.check.to_dict()  # type: ignore[attr-defined]
    assert data["mismatches"][0]["reverse"] == "nan"
    json.dumps(data, allow_nan=False)


def test_rich_and_html_show_the_same(wrong: tfgrad.Check) -> None:
    out = rich.console.Console(width=80, record=True, file=io.StringIO())
    out.print(wrong)
    text = out.export_text()
    html = wrong._repr_html_()
    for part in ("numerical", "likely", "the sign: minus what it should be"):
        assert part in text
        assert part in html
    assert "&lt;lambda&gt;" in html
    assert "<lambda>" not in html
