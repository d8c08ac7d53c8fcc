"""Place, Reason and Explanation: the text, JSON, colour and HTML of what was found."""

import json
from io import StringIO

import rich.console

from tfgrad.see.explanation import Explanation, Place, Reason, _plain

ROUND = Place(
    "/somewhere/else/train.py",
    14,
    column=8,
    end_line=14,
    end_column=26,
    text="h = tf.round(dense(x))",
    expression="tf.round(dense(x))",
    function="step",
    op="Round",
)
MATMUL = Place("/somewhere/else/train.py", 13, text="z = x @ w", expression="x @ w", function="step", op="MatMul")
LOST = Reason(
    "dense/kernel",
    "none",
    "nondifferentiable-op",
    ROUND,
    (MATMUL, ROUND),
    "tf.round moves in steps.",
    "keep the float for the loss",
    (Reason("dense/kernel", "none", "stop-gradient", MATMUL),),
)
FINE = Reason("bias", "ok", "ok")

TEXT = """\
None: the gradient for 'dense/kernel' stops at train.py:14, in step
    h = tf.round(dense(x))
        ^^^^^^^^^^^^^^^^^^
  why         nondifferentiable-op: The op gives no gradient to this input: its
              result is a step, an index, a shape or a decision. tf.round moves
              in steps.
  it flowed   dense/kernel -> z = MatMul (13) -> h = Round (14)  x
  try         keep the float for the loss
  also        stop-gradient at train.py:13  z = x @ w"""


def test_text_of_a_reason_says_what_where_why_how_and_what_to_type():
    assert str(LOST) == TEXT


def test_text_keeps_to_80_columns_however_long_the_line_is():
    call = "some_function_with_a_long_name(" + ", ".join(f"argument_{i}" for i in range(30)) + ")"
    long = Place("train.py", 3, text=f"result = {call} + tf.round(x)", expression="tf.round(x)", op="Round")
    text = str(Reason("x", "none", "nondifferentiable-op", long, (long,) * 20, "because " * 30, "do " * 60))
    assert max(map(len, text.splitlines())) <= 80
    marked = text.splitlines()[1:3]
    assert marked[0][marked[1].index("^") :].startswith("tf.round(x)")


def test_gravest_reason_speaks_for_the_explanation():
    found = Explanation((FINE, LOST, Reason("v", "zero", "masked")))
    assert (found.ok, found.symptom, found.cause, found.where) == (False, "none", "nondifferentiable-op", ROUND)
    assert found.advice == LOST.advice
    assert [reason.path for reason in found] == ["bias", "dense/kernel", "v"]
    assert found[1] is LOST
    assert len(found) == 3


def test_empty_source_is_ok():
    found = Explanation(())
    assert found.ok
    assert (found.symptom, found.cause, found.where, found.advice) == ("ok", "ok", None, "")
    assert str(found) == "ok: nothing was asked about"


def test_error_is_graver_than_none_and_unknown_graver_than_ok():
    found = [Reason("x", symptom, "unknown") for symptom in ("ok", "unknown", "zero", "nonfinite", "none", "error")]
    for count in range(1, 7):
        assert Explanation(tuple(found[:count])).symptom == found[count - 1].symptom


def test_leaves_that_share_a_reason_are_told_once():
    other = Reason("dense/bias", "none", "nondifferentiable-op", ROUND)
    text = str(Explanation((LOST, other, FINE), ("The target was summed.",)))
    assert text.count("stops at") == 1
    assert "'dense/kernel' and 'dense/bias'" in text
    assert (
        text.index("None:") < text.index("ok: the gradient for 'bias' is fine") < text.index("The target was summed.")
    )


def test_dict_is_json_with_the_schema_on_top():
    data = json.loads(json.dumps(Explanation((LOST,), ("a note",)).to_dict()))
    assert list(data)[:4] == ["schema", "ok", "symptom", "cause"]
    assert data["schema"] == 1
    assert data["reasons"][0]["where"]["line"] == 14
    assert data["reasons"][0]["others"][0]["cause"] == "stop-gradient"
    assert LOST.to_dict()["schema"] == ROUND.to_dict()["schema"] == 1


def test_nan_and_infinity_become_strings():
    assert _plain((float("nan"), float("-inf"), 1.5)) == ["nan", "-inf", 1.5]


def test_rich_shows_the_marked_line_in_the_symptoms_colour():
    screen = StringIO()
    rich.console.Console(file=screen, width=80, force_terminal=True, color_system="standard").print(
        Explanation((LOST,))
    )
    assert "\x1b[1;31mtf.round(dense(x))" in screen.getvalue()
    plain = StringIO()
    rich.console.Console(file=plain, width=80).print(Explanation((LOST, FINE), ("a note",)))
    assert "^^^^^^^^" in plain.getvalue()
    assert "note: a note" in plain.getvalue()


def test_html_escapes_what_the_user_wrote():
    nasty = Place("a.py", 1, text="y = f('<script>') & 1", expression="f('<script>')")
    page = Explanation((Reason("<b>", "none", "stop-gradient", nasty),), ("<i>",))._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "f(&#x27;&lt;script&gt;&#x27;)</span> &amp; 1" in page


def test_html_takes_its_colours_from_the_page():
    page = Reason("x", "zero", "masked", ROUND)._repr_html_()
    assert "color:inherit" in page
    assert "background:#" not in page
