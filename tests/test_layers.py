"""Who may import whom. The rows below are the rule; every file of the package is parsed and held against them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tfgrad

PACKAGE = Path(tfgrad.__file__).parent

# Lower rows first. A module imports from lower rows; within its own row, what WITHIN_A_ROW lists. Files of one package
# import one another as they need, without circles.
ROWS = [
    {"errors", "trees", "wording", "source", "_tensorflow"},
    {"compute"},
    {"see"},
    {"check", "see.diagnosing", "see.pictures"},
    {"learn"},
    {"report", "explanation_report", "diagnosis_report", "check_report"},
    {"cli", "check_commands", "script_functions", "doctor", "hosts", "__main__"},
]

WITHIN_A_ROW = {
    ("explanation_report", "report"),
    ("report", "explanation_report"),
    ("diagnosis_report", "explanation_report"),
    ("trees", "wording"),
    ("__main__", "cli"),
    ("cli", "doctor"),
    ("cli", "check_commands"),
    ("check_commands", "cli"),
    ("check_commands", "script_functions"),
    ("script_functions", "cli"),
    ("hosts", "doctor"),
}

# Imports upwards inside a function: the lenses of results, and a tape's own questions.
LATE = {
    ("see.tape", "see.pictures"),
    ("see.explanation", "report"),
    ("see.explanation", "explanation_report"),
    ("see.explanation", "see.pictures"),
    ("see.diagnosing", "diagnosis_report"),
    ("see.pictures", "report"),
    ("check", "check_report"),
    ("learn", "report"),
}

# Who may import what from outside.
ONLY_IN = {
    "rich": {
        "report",
        "explanation_report",
        "diagnosis_report",
        "check_report",
        "cli",
        "see.pictures",
        "learn",
        "doctor",
    },
    "tensorflow.python": {"_tensorflow"},
}


def modules() -> dict[str, ast.Module]:
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if name and not name.startswith("learn.exercises."):
            found[name] = ast.parse(file.read_text(encoding="utf-8"), str(file))
    return found


def unit(module: str) -> str:
    """The longest name in the rows that a module belongs to."""
    names = [name for row in ROWS for name in row]
    fitting = [name for name in names if module == name or module.startswith(name + ".")]
    return max(fitting, key=len) if fitting else "?"


def row(name: str) -> int:
    return next(i for i, names in enumerate(ROWS) if name in names)


def imports(tree: ast.Module) -> list[tuple[str, bool]]:
    """All that a file imports, and whether it does so as it is loaded (type-checking blocks do not count)."""
    found = []

    def visit(node: ast.AST, early: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, early) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            found.extend((f"{node.module}.{alias.name}", early) for alias in node.names)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, early and not inside)

    visit(tree, True)
    return found


def own(name: str, known: set[str]) -> str | None:
    """The module of the package that an imported name is, or lies in; the package itself holds only the names."""
    if name != "tfgrad" and not name.startswith("tfgrad."):
        return None
    inside = name.removeprefix("tfgrad").lstrip(".")
    return (inside if inside in known else inside.rpartition(".")[0]) or None


TREES = modules()


@pytest.mark.parametrize("module", TREES)
def test_every_module_has_a_row(module: str) -> None:
    assert unit(module) != "?", f"{module}: add it to ROWS"


@pytest.mark.parametrize("module", TREES)
def test_imports_go_downwards(module: str) -> None:
    importer = unit(module)
    for name, early in imports(TREES[module]):
        target = own(name, set(TREES))
        if target is None or unit(target) == importer:
            continue
        pair = (importer, unit(target))
        down = row(unit(target)) < row(importer)
        precise = (module, unit(target))
        assert down or pair in WITHIN_A_ROW or (not early and {pair, precise} & LATE), f"{module} imports {target}"


def test_no_two_modules_import_each_other_while_loading() -> None:
    edges = {m: {own(n, set(TREES)) for n, early in imports(tree) if early} - {None, m} for m, tree in TREES.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for target in edges.get(module, ()):
                visit(target, (*path, module))
            done.add(module)

    for module in edges:
        visit(module, ())


@pytest.mark.parametrize("outside", ONLY_IN)
def test_what_is_special_stays_where_it_belongs(outside: str) -> None:
    for module, tree in TREES.items():
        for name, _ in imports(tree):
            if name == outside or name.startswith(outside + "."):
                assert unit(module) in ONLY_IN[outside], f"{module} imports {name}"


def test_the_importer_finder_sees_late_and_early_imports() -> None:
    tree = ast.parse("import a\nfrom b import c\ndef f():\n    import d\nif TYPE_CHECKING:\n    import e\n")
    assert imports(tree) == [("a", True), ("b.c", True), ("d", False)]
