"""The notebook's experiments: each value by hand, and the outcome as it is told."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from tfgrad.learn import demo, processor, startup

NAMES = [
    "cpu-features",
    "range",
    "variable",
    "first-gradient",
    "overwritten",
    "simpler-example",
    "detach",
    "detach-in-prose",
    "control-flow",
]


def values_of(name: str, **options: object) -> dict[str, object]:
    found = demo.named(name)
    assert found is not None
    outcome = demo.run(found, **options)
    assert outcome.holds, str(outcome)
    return {value.name: value.data for value in outcome.values}


def test_the_demos_begin_with_the_experiments_of_the_notebook() -> None:
    assert [found.name for found in demo.demos()][: len(NAMES)] == NAMES


@pytest.mark.parametrize("found", demo.demos(), ids=lambda found: found.name)
def test_every_demo_has_a_claim_and_checks_it(found: demo.Demo) -> None:
    outcome = demo.run(found)
    assert found.claim.endswith((".", ")"))
    assert any(value.check is not None for value in outcome.values)
    assert outcome.holds, str(outcome)


@pytest.mark.parametrize("found", demo.demos(), ids=lambda found: found.name)
def test_the_code_shown_is_the_code_of_the_module_and_fits_sixty_columns(found: demo.Demo) -> None:
    file = Path(demo.__file__).parent / "demos" / (found.module.rpartition(".")[2] + ".py")
    assert file.read_text(encoding="utf-8").rstrip().endswith(found.source)
    assert max(len(line) for line in found.source.splitlines()) <= 56


def test_range_counts_from_zero() -> None:
    assert values_of("range")["x"] == [0, 1, 2, 3]


def test_variable_holds_the_same_values() -> None:
    assert values_of("variable")["x"] == [0, 1, 2, 3]


def test_first_gradient_is_four_x() -> None:
    found = values_of("first gradient")
    assert found["y"] == 28
    assert found["x_grad"] == [0, 4, 8, 12]
    assert found["x_grad == 4 * x"] == [True] * 4
    assert found["grad(f)(x) == x_grad"] == [True] * 4


def test_a_second_gradient_replaces_the_first() -> None:
    assert values_of("overwritten")["x_grad of sum(x)"] == [1, 1, 1, 1]


def test_simpler_example_is_the_gradient_of_a_sum() -> None:
    found = values_of("simpler-example")
    assert found["x_grad"] == [3, 7, 11, 15]
    assert found["x_grad == gradient of sum(y)"] == [True] * 4
    assert found["tfgrad.grad says"] == "grad: f returned float32[4]"


def test_detached_value_is_a_constant_and_keeps_its_own_gradient() -> None:
    found = values_of("detach")
    assert found["x_grad"] == [0, 2, 16, 54]
    assert found["x_grad == 2 * u"] == [True] * 4
    assert found["y_grad"] == [0, 3, 12, 27]
    assert found["y_grad == 3 * x**2"] == [True] * 4


def test_prose_of_the_notebook_is_shown_both_ways() -> None:
    found = values_of("detach-in-prose")
    assert found["u = x * x"] == [1, 4, 9, 16]
    assert found["u = x + x"] == [2, 4, 6, 8]
    checks = ["detached == u", "attached == 3 * x * x", "detached == x + x", "attached == 4 * x"]
    assert [found[name] for name in checks] == [[True] * 4] * 4


@pytest.mark.parametrize(
    ("a", "d", "d_grad"), [(1.0, 1024, 1024), (-3.0, -153600, 51200), (1.953, 1999.872, 1024), (600, 1200, 2)]
)
def test_control_flow_gradient_is_that_of_the_path_taken(a: float, d: float, d_grad: float) -> None:
    found = values_of("control-flow", a=a)
    assert found["d_grad"] == d_grad
    assert math.isclose(found["d"], d, rel_tol=1e-6)  # type: ignore[arg-type]
    assert found["d_grad == d / a"] is True
    assert found["d_grad * a == d"] is True
    assert found["a power of two"] is True


def test_control_flow_at_zero_says_that_f_never_ends() -> None:
    found = values_of("control-flow", a=0.0)
    assert found["f(a)"] == "never ends: 0 * 2 is 0, below 1000"
    assert "d_grad" not in found


@pytest.mark.parametrize("a", [1e-40, 1e-37, -1e-36, 1e-30, 1e30, 3e38, -3e38, math.inf, -math.inf, math.nan])
def test_control_flow_holds_for_very_small_and_very_large_a(a: float) -> None:
    values_of("control-flow", a=a)


def test_control_flow_repeats_with_a_seed_and_differs_without() -> None:
    assert values_of("control-flow", seed=7)["a"] == values_of("control-flow", seed=7)["a"]
    signs = {values_of("control-flow", seed=seed)["a"] > 0 for seed in range(6)}  # type: ignore[operator]
    assert signs == {True, False}
    drawn = {values_of("control-flow")["seed"] for _ in range(3)}
    assert len(drawn) > 1


def a_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> demo.Outcome:
    (tmp_path / "d99_trial.py").write_text(f'"""It is so."""\n\ndef experiment():\n    {body}\n', encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "d99_trial", raising=False)
    read = demo._read(tmp_path / "d99_trial.py")
    return demo.run(dataclasses.replace(read, module="d99_trial"))


def test_a_false_check_is_named_in_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = a_demo(tmp_path, monkeypatch, 'yield "1 == 2", 1 == 2')
    assert not outcome.holds
    assert outcome.verdict == "does not hold: 1 == 2"


def test_a_demo_without_a_check_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = a_demo(tmp_path, monkeypatch, 'yield "x", 1.0')
    assert not outcome.holds
    assert outcome.verdict == "proves nothing: no check was made"


def test_a_demo_that_raises_shows_what_came_before_and_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = a_demo(tmp_path, monkeypatch, 'yield "x", [1.5, float("inf")]; raise ValueError("no")')
    assert outcome.verdict == "stopped by ValueError: no"
    assert outcome.to_dict()["values"][0] == {"name": "x", "text": "[1.5 inf]", "value": [1.5, "inf"], "check": None}
    assert "ValueError: no" in str(outcome)


SAID = """WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1 8 port.cc:153] oneDNN custom operations are on. To turn them off, set TF_ENABLE_ONEDNN_OPTS=0.
I0000 00:00:1 8 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use available CPU instructions.
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.
"""


def test_tensorflows_own_line_is_read() -> None:
    assert processor.unused(SAID) == ["AVX2", "FMA"]
    assert processor.unused("nothing of the sort") is None
    assert processor.spoken(SAID, "cpu_feature_guard").endswith("AVX2 FMA, in other operations, rebuild TensorFlow.")
    assert processor.spoken(SAID, "oneDNN").startswith("oneDNN custom operations are on.")
    assert processor.spoken(SAID, "no such thing") == "nothing about it"


def test_cpu_features_tell_what_tensorflow_said_when_it_loaded() -> None:
    found = values_of("cpu-features")
    assert found["TensorFlow"] == __import__("tensorflow").__version__
    assert processor.has()
    assert found["this CPU has"] == " ".join(processor.has())
    assert startup.messages()


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("none-a-tensor", "unwatched"),
        ("none-numpy", "left-tensorflow"),
        ("none-integer", "integer-dtype"),
        ("none-state", "state"),
        ("zero", "saturated"),
        ("norm-at-zero", "singular-point"),
        ("where-trap", "where-trap"),
        ("consumed-tape", "tape-consumed"),
    ],
)
def test_a_demo_of_a_lost_gradient_ends_in_its_cause_and_its_line(name: str, cause: str) -> None:
    found = values_of(name)
    assert found["cause"] == cause
    told = str(found["explain says"])
    assert f"why         {cause}:" in told
    assert f"_{name.replace('-', '_')}.py:" in told.replace("\n  ", "")
    assert "try " in told


def test_the_gradients_after_the_advice_are_those_by_hand() -> None:
    assert values_of("none-a-tensor")["with assign_sub"] == pytest.approx(3.2)
    assert values_of("none-numpy")["with tf.reduce_mean"] == [[1, 2], [3, 4]]
    assert values_of("none-integer")["with 10.0"] == 20
    assert values_of("none-state")["with the tensor"] == 12
    assert values_of("zero")["from the logit"] == 1
    assert values_of("norm-at-zero")["safe at [3, 4]"] == pytest.approx([0.6, 0.8])
    assert values_of("where-trap")["double where"] == [0, 1]
    assert values_of("consumed-tape")["dy, dz"] == [6, 108]


def test_the_silent_sum_is_said_in_a_note() -> None:
    found = values_of("silent-sum")
    assert found["gradient"] == [2, 4, 6]
    assert "The target has shape [3]: the gradient is that of the sum" in str(found["explain says"])
    assert str(found["tfgrad.grad says"]).startswith("grad: f returned float32[3]")


def test_the_demos_of_the_transforms_give_the_numbers_by_hand() -> None:
    found = values_of("second-derivative")
    assert [found["3 x**2"], found["6 x"], found["6"]] == [12, 12, 6]
    found = values_of("forward-or-reverse")
    assert (found["passes in reverse"], found["passes forward"]) == ("2", "6")
    assert values_of("hessian-vector-product")["H v"] == [802, -400, 0]
    assert values_of("per-example-gradients")["gradients"] == [[2, 0], [0, -8], [-48, -16]]
    found = values_of("custom-gradient")
    assert found["plain"] == "nan"
    assert found["mended"] == 1
    assert str(found["a rule of two answers"]).startswith("custom_gradient: the rule of wrong gave 2 gradients")


def test_checkpoint_runs_each_layer_twice_and_jit_traces_once() -> None:
    found = values_of("checkpoint")
    assert (found["plain: MiB held"], found["layers run"]) == (8, "8")
    assert (found["checkpoint: MiB held"], found["layers run "]) == (0, "16")
    found = values_of("jit")
    assert found["2 * 2 x"] == [4, 8, 12]
    assert found["traces"] == "1"
    assert found["2 * 3 x**2"] == [6, 24, 54]
