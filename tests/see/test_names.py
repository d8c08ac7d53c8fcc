"""What a leaf of the source is called."""

import ast

import pytest

from tfgrad.see import names


def parsed(text):
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("written", "path", "name"),
    [
        ("x", "", "x"),
        ("[x, w]", "[1]", "w"),
        ("params", "['w']", "params['w']"),
        ("{'w': kernel, 'b': bias}", "['w']", "kernel"),
        ("model.trainable_variables", "[0]", "model.trainable_variables[0]"),
        ("[x, {'a': (u, v)}]", "[1]['a'][0]", "u"),
        ("pair", ".mean", "pair.mean"),
        ("a + b", "[0]", "source[0]"),
    ],
)
def test_name_is_what_stands_in_the_call(written, path, name):
    assert names.expression(parsed(written), path, "source") == name


def test_without_a_call_the_path_hangs_on_the_root():
    assert names.expression(None, "['w'][0]", "source") == "source['w'][0]"
