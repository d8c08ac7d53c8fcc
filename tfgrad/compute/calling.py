"""How the user's function is called: as it is, with what goes wrong on the way told in the user's terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from tfgrad import wording
from tfgrad._tensorflow import autograph
from tfgrad.errors import KindError, StructureError


def call(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], given: tuple[Any, ...], who: str) -> Any:
    """f's value; `given` are the caller's own arguments, of which messages of `who` speak.

    Raises:
        KindError: f treats an argument as a Variable, which reached it as a tensor.
    """
    try:
        return autograph.converted(f)(*args, **kwargs)
    except AttributeError as error:
        method = _assigning_method(error)
        if method:
            raise KindError(
                f"{who}: f called {method}() on an argument that it is differentiated by",
                "a function that leaves its arguments as they are: a Variable reaches f as its value",
                ("x itself is the value; or " if method in _READS else "")
                + "close over the Variable, and name it: tfgrad.grad(f, wrt=variable)",
            ) from error
        raise
    except TypeError as error:
        lists = [i for i, arg in enumerate(given) if _is_list_of_numbers(arg)]
        if lists:
            _note(
                error, f"tfgrad: args[{lists[0]}] is a list, so f got a list of scalars; one tensor: tf.constant([...])"
            )
        raise


_READS = frozenset({"value", "read_value"})
_ASSIGNMENTS = frozenset({"assign", "assign_add", "assign_sub", "scatter_nd_update", "scatter_update", "scatter_add"})


def _assigning_method(error: AttributeError) -> str | None:
    """The method of a Variable that a tensor lacks. AutoGraph makes a new error, of which only the text is left."""
    if error.name in _ASSIGNMENTS | _READS and wording.kind(error.obj) == "tensor":
        return error.name
    found = re.search(r"'\w*Tensor' object has no attribute '(\w+)'", str(error))
    return found[1] if found and found[1] in _ASSIGNMENTS | _READS else None


def check_function(f: Any, who: str) -> None:
    """Refuse what can't be called.

    Raises:
        KindError: f is no function.
    """
    if not callable(f):
        raise KindError(
            f"{who}: f is {wording.describe(f)}",
            "a function; transforms take the function first and its arguments afterwards",
            f"tfgrad.{who}(f)(x)" if who.endswith("grad") else f"tfgrad.{who}(f, ...)",
        )


def aux_split(value: Any, has_aux: bool, who: str) -> tuple[Any, Any]:
    """What f gave, as (value, aux).

    Raises:
        StructureError: `has_aux`, and f gave no pair.
    """
    if not has_aux:
        return value, None
    if not isinstance(value, tuple) or len(value) != 2:
        raise StructureError(
            f"{who}: has_aux=True, and f returned {wording.describe(value)}",
            "the pair (value, aux)",
            "return value, aux; or leave has_aux out",
        )
    return value


F = TypeVar("F", bound=Callable[..., Any])


def left_alone(made: F) -> F:
    """A public function marked so that AutoGraph calls it as it is; the user's f inside is still converted."""
    return cast(F, autograph.unconverted(made))


def named(made: Callable[..., Any], transform: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """A transform's function, with a name that says what it is, left alone by AutoGraph."""
    made.__name__ = made.__qualname__ = f"{transform}({wording.function(f)})"
    made.__doc__ = f"{transform} of {wording.function(f)}."
    return autograph.unconverted(made)


def _is_list_of_numbers(arg: Any) -> bool:
    return isinstance(arg, list) and bool(arg) and all(isinstance(x, int | float) for x in arg)


def _note(error: BaseException, text: str) -> None:
    """Add a note; on Python 3.10, which has no `add_note`, the attribute that 3.11 prints."""
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:
        error.__notes__ = [*getattr(error, "__notes__", []), text]  # type: ignore[attr-defined]
