"""Code positions as file, line, column and expression."""

import linecache
import sys
from types import CodeType

import pytest
import tensorflow as tf

from tfgrad import source

HAS_COLUMNS = sys.version_info >= (3, 11)
needs_columns = pytest.mark.skipif(not HAS_COLUMNS, reason="CPython 3.10 does not keep columns")


def here() -> tuple[CodeType, int]:
    frame = sys._getframe(1)
    return frame.f_code, frame.f_lasti


def run(text: str, file: str, in_cache: bool) -> source.Position:
    """The position of the call of `here()` in exec'd text."""
    if in_cache:
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names = {"here": here}
    exec(compile(text, file, "exec"), names)
    try:
        return source.position(*names["at"])
    finally:
        linecache.cache.pop(file, None)


def test_position_names_line_text_and_function() -> None:
    at = source.position(*here())
    assert at.file == __file__
    assert at.text == "at = source.position(*here())"
    assert at.function == "test_position_names_line_text_and_function"


@needs_columns
def test_expression_is_the_sub_expression() -> None:
    at = source.position(*[1, here()][1])
    assert at.expression == "here()"
    assert at.end_line == at.line


@needs_columns
def test_columns_are_characters_not_bytes() -> None:
    at = run("größe = 1; ε = (here(),); at = ε[0]\n", "<notebook-1>", in_cache=True)
    assert (at.column, at.end_column) == ("größe = 1; ε = (here(),)".index("here"), 22)
    assert at.expression == "here()"


def test_notebook_cell_is_read_from_linecache() -> None:
    at = run("at = 0\nat = here()\n", "<ipython-input-7-abc>", in_cache=True)
    assert (at.line, at.text) == (2, "at = here()")


def test_text_of_exec_without_source_is_empty() -> None:
    at = run("at = here()\n", "<string>", in_cache=False)
    assert (at.file, at.line, at.text, at.expression) == ("<string>", 1, "", None)


def test_file_that_is_gone_keeps_its_line(tmp_path) -> None:
    path = tmp_path / "gone.py"
    path.write_text("\n\nat = here()\n", encoding="utf-8")
    names = {"here": here}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    path.unlink()
    at = source.position(*names["at"])
    assert (at.line, at.text, at.expression, at.column) == (3, "", None, None)


def test_statement_over_several_lines_names_the_line_of_the_call() -> None:
    at = run("at = max(\n    [here()],\n)[0:2]\n", "<cell>", in_cache=True)
    assert (at.line, at.text) == (2, "[here()],")


@needs_columns
def test_expression_over_several_lines_is_joined() -> None:
    text = "def pick(a, b):\n    return caller()\nat = pick(1,\n          2)\n"

    def caller() -> tuple[CodeType, int]:
        frame = sys._getframe(2)
        return frame.f_code, frame.f_lasti

    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    names = {"caller": caller}
    exec(compile(text, "<cell>", "exec"), names)
    at = source.position(*names["at"])
    linecache.cache.pop("<cell>")
    assert (at.line, at.end_line, at.expression) == (3, 4, "pick(1, 2)")


def test_position_without_debug_ranges_is_the_line() -> None:
    code = compile("x = 1\ny = 2\n", "<bare>", "exec")
    at = source.position(code, -1)
    assert (at.file, at.function) == ("<bare>", "<module>")
    assert at.line <= 1


def test_library_files_are_not_the_users() -> None:
    assert source.is_user_file[__file__]
    assert not source.is_user_file[tf.__file__]
    assert not source.is_user_file[source.__file__]
    assert source.is_user_file["/tmp/__autograph_generated_fileabc.py"] is None
    assert not source.is_user_file["<frozen importlib._bootstrap>"]


def test_graph_op_names_the_line_inside_the_function() -> None:
    @tf.function
    def f(x):
        if tf.reduce_sum(x) > 0:
            x = x + 1.0
        return tf.sin(x)

    graph = f.get_concrete_function(tf.TensorSpec([2], tf.float32)).graph
    op = next(op for op in graph.get_operations() if op.type == "Sin")
    at = source.of_graph_op(op)
    assert at is not None
    assert (at.file, at.text) == (__file__, "return tf.sin(x)")
