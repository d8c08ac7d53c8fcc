"""The user's source as a syntax tree."""

import ast
import linecache

import pytest

from tfgrad.see import syntax

SOURCE = """
def helper(a):
    return a * 2

def step(model, batches):
    total = 0.0
    history = []
    for batch in batches:
        history.append(helper(model(batch)))
    self.scale, unused = 3.0, 4.0
    loss = sum(history) * self.scale
    noise = 5.0
    return loss
"""


@pytest.fixture
def body():
    linecache.cache["<made for a test>"] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), "<made for a test>")
    module = syntax.tree("<made for a test>")
    yield syntax.function(module, "step", 6)
    del linecache.cache["<made for a test>"]


def test_slice_goes_back_through_loops_appends_and_attributes(body):
    found = syntax.backward(body, 11)
    assert {"history", "batch", "model", "batches", "helper", "self.scale"} <= found.names
    assert {7, 8, 9, 10, 11} <= found.lines
    assert 12 not in found.lines
    assert "noise" not in found.names


def test_slice_of_a_line_without_a_statement_is_none(body):
    assert syntax.backward(body, 99) is None


def test_scope_is_the_innermost_function_of_the_code(body):
    module = ast.parse(SOURCE)
    code = compile(module, "<made for a test>", "exec").co_consts[0]
    assert syntax.scope(code).name == "helper"


def test_file_that_is_gone_has_no_tree():
    assert syntax.tree("/no/such/file.py") is None


def test_magic_lines_of_a_notebook_do_not_hide_the_rest():
    text = "%matplotlib inline\n!ls\nx = 1\n"
    assert syntax.statement(syntax._parsed(text), 3).lineno == 3


def test_arguments_are_found_by_position_and_keyword():
    node = syntax.call("tape.gradient(y, sources=[x, w])")
    assert ast.unparse(syntax.argument(node, 0, "target")) == "y"
    assert ast.unparse(syntax.argument(node, 1, "sources")) == "[x, w]"
    assert syntax.argument(syntax.call("f(*args)"), 0, "target") is None
    assert syntax.call("not a call") is None
