"""The likely reason for a wrong derivative: how the wrong values are related to the right ones.

Each relation is tried on many elements of the input at once; the first that fits all the wrong ones is told. It is a
guess from numbers, so it is only told where it fits to the numbers' precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tfgrad import wording
from tfgrad.check import directions
from tfgrad.check.compare import Found
from tfgrad.check.flat import TapedProducts
from tfgrad.check.numbers import Array, Slope
from tfgrad.check.trial import Trial
from tfgrad.check.vectors import Part, Vector, place_of, slices

_NUMBERS = 10_000_000
"""So many numbers are held at most, for all the elements that are looked at."""


@dataclass(frozen=True)
class Reason:
    """The reason in words; `wrong` of `tried` elements of the input are off."""

    text: str
    wrong: int
    tried: int


@dataclass(frozen=True)
class Sample:
    """Elements of one input, with the derivative of w . f by each: as TensorFlow has it, and by numbers.

    `columns` are the numerical derivatives of each output, `[m, elements]`.
    """

    trial: Trial
    number: int
    places: Array
    w: Vector
    given: Vector
    right: Vector
    error: Vector
    columns: Array

    @property
    def part(self) -> Part:
        """The input they belong to."""
        return self.trial.flat.inputs[self.number]

    @property
    def complete(self) -> bool:
        """Whether these are all elements of the input."""
        return self.places.size == self.part.length

    @property
    def wrong(self) -> Array:
        """Which of them are off."""
        allowed = self._allowed(self.trial.tolerance.rtol)
        with np.errstate(all="ignore"):
            return ~(np.abs(self.given - self.right) <= allowed)

    def fits(self, candidate: Vector, among: Array) -> bool:
        """Whether another value explains what TensorFlow gave at these elements, to a hundredth of what is off."""
        with np.errstate(all="ignore"):
            off = np.abs(self.given - self.right)[among]
            left = np.abs(self.given - candidate)[among]
            floor = np.maximum(self._allowed(1e-6), 1e-4 * np.abs(self.right))[among]
            return bool(among.any() and (left <= np.maximum(np.minimum(floor, 0.1 * off), 1e-9 * off)).all())

    def is_all(self, candidate: Vector) -> bool:
        """Whether another value is what TensorFlow gave, at the right elements as well."""
        with np.errstate(all="ignore"):
            same = np.abs(self.given - candidate) <= np.maximum(self._allowed(1e-6), 1e-4 * np.abs(candidate))
        return self.fits(candidate, self.wrong) and bool(same[~self.wrong].all())

    def _allowed(self, rtol: float) -> Vector:
        tolerance = self.trial.tolerance
        size = np.maximum(np.abs(self.right), np.abs(np.nan_to_num(self.given)))
        found: Vector = 10 * self.error + tolerance.atol + max(rtol, tolerance.rtol) * size
        return found


def reason(trial: Trial, found: Found) -> Reason:
    """The likely reason for a wrong element."""
    number, _ = place_of(trial.flat.inputs, found.j)
    given = found.reverse if found.mode == "rev" else found.forward
    if given is not None and not np.isfinite(given):
        text = (
            f"it is {wording.number(given)} where f is smooth: 0 times inf, or a domain's edge, inside the derivative"
        )
        return Reason(text, 1, 1)
    dense = trial.rng.normal(0.4, 1.0, trial.flat.m)
    dense = np.where(np.isfinite(trial.centre), dense, 0.0)
    sample = _sample(trial, found, number, dense)
    ordinary = not sample.wrong.any()
    if ordinary:
        sample = _sample(trial, found, number, found.w)
    wrong, tried = int(sample.wrong.sum()), sample.places.size
    if not wrong:
        return Reason("only this element, by this cotangent, is off", 1, 1)
    told = _nonlinear(sample, found) if ordinary and found.mode == "rev" else None
    text = told or next((text for text in _told(sample, found) if text), _other(sample))
    return Reason(text, wrong, tried)


def _told(sample: Sample, found: Found) -> Iterator[str | None]:
    yield _missing(sample, found)
    yield _nonlinear(sample, found)
    yield _conjugated(sample)
    yield _factor(sample)
    yield _rearranged(sample)
    yield _other_argument(sample)
    yield _cotangent_changed(sample)
    yield _few(sample)
    yield _lacking(sample)


def _sample(trial: Trial, found: Found, number: int, w: Vector) -> Sample:
    piece = slices(trial.flat.inputs)[number]
    places = _places(trial, found, piece, 256 if found.mode == "rev" else 48)
    columns, error = _columns(trial, places, w)
    if found.mode == "rev":
        given = trial.pull(w).vector[places]
    else:
        on = w != 0
        pushed = [trial.push(directions.unit(trial.flat.n, int(j))).vector for j in places]
        given = np.array([float(w[on] @ row[on]) / trial.scale[j] for row, j in zip(pushed, places, strict=True)])
    on = w != 0
    right = w[on] @ columns[on]
    return Sample(trial, number, places - piece.start, w, given, right, error, columns)


def _places(trial: Trial, found: Found, piece: slice, most: int) -> Array:
    count = piece.stop - piece.start
    able = max(3, min(int(0.3 * max(trial.left(), 0.5) / (6 * trial.cost)), _NUMBERS // (trial.flat.m + trial.flat.n)))
    if count <= min(most, able):
        return np.arange(piece.start, piece.stop)
    others = piece.start + trial.rng.choice(count, min(most, able, 100), replace=False)
    return np.unique([*others, found.j])


def _columns(trial: Trial, places: Array, w: Vector) -> tuple[Array, Vector]:
    """Each output's numerical derivative by some elements, and the error of w times it."""
    us = [directions.unit(trial.flat.n, int(j)) for j in places]
    trial.look_ahead(us)
    slopes = [trial.slope(u) for u in us]
    on = w != 0
    vague = [k for k, slope in enumerate(slopes) if not _is_precise(slope, on)]
    for k in vague[:16]:
        slopes[k] = trial.slope(us[k], thorough=True)
    with np.errstate(all="ignore"):
        columns = np.stack([slope.value / trial.scale[j] for slope, j in zip(slopes, places, strict=True)], axis=1)
        error = [np.abs(w[on]) @ slope.error[on] / trial.scale[j] for slope, j in zip(slopes, places, strict=True)]
    return np.nan_to_num(columns), np.array(error)


def _is_precise(slope: Slope, on: Array) -> bool:
    return bool((slope.error[on] <= 1e-4 * np.max(np.abs(slope.value[on]), initial=0.0) + 1e-12).all())


def _missing(sample: Sample, found: Found) -> str | None:
    if sample.given[sample.wrong].any():
        return None
    trial = sample.trial
    if found.mode == "rev":
        taped = TapedProducts(trial.flat, trial.flat.sources(trial.flat.point))
        if taped.pull(sample.w).missing[sample.number]:
            return "TensorFlow gives None for it without a word: the gradient is silently missing"
    if trial.flat.order == 2 and _is_beside(sample):
        return "the derivative does not depend on it: a frozen cotangent or tangent"
    if not sample.wrong.all():
        return None
    return "it is zero: the gradient is silently missing (a stop_gradient, NumPy inside the rule, a forgotten term)"


def _is_beside(sample: Sample) -> bool:
    return sample.part.path.startswith(("cotangent", "tangent"))


def _nonlinear(sample: Sample, found: Found) -> str | None:
    if found.mode != "rev":
        return None
    trial, w = sample.trial, sample.w

    def pulled(v: Vector) -> Vector:
        return trial.pull(v).vector[slices(trial.flat.inputs)[sample.number]][sample.places]

    size = np.max(np.abs(sample.given), initial=0.0)
    off = []
    for factor in (64.0, 1 / 64, -1.0):
        found_now = pulled(factor * w)
        if np.abs(found_now - factor * sample.given).max() > 1e-3 * size * abs(factor):
            off.append((factor, bool(np.abs(found_now - sample.given).max() <= 1e-6 * size)))
    if not off:
        return None
    if all(same for _, same in off) and len(off) == 3:
        return "the cotangent is not used: the rule answers the same whatever flows in (dy dropped)"
    if [factor for factor, _ in off] == [-1.0]:
        return "the rule is not linear in the cotangent: its sign is lost (an abs)"
    return "the rule is not linear in the cotangent (clipped, or a square of dy)"


def _factor(sample: Sample) -> str | None:
    wrong = sample.wrong
    usable = wrong & (np.abs(sample.right) > 100 * sample.error)
    if not usable.any():
        return None
    factor = float(np.median(sample.given[usable] / sample.right[usable]))
    if not sample.fits(factor * sample.right, wrong) or abs(factor) < 1e-9:
        return None
    where = _where(sample, wrong)
    if abs(factor + 1) < 1e-4:
        return f"the sign: minus what it should be{where}"
    near = _known_factor(factor, sample)
    if int(usable.sum()) == 1 and (int(wrong.sum()) < sample.places.size or not near):
        return None
    return f"a factor: {near or wording.number(factor, 6)} times what it should be{where}"


_KNOWN = (
    (2.0, "2"),
    (0.5, "half"),
    (3.0, "3"),
    (4.0, "4"),
    (1.5, "1.5"),
    (1 / 3, "a third"),
    (2 / 3, "two thirds"),
    (0.25, "a quarter"),
)


def _known_factor(factor: float, sample: Sample) -> str:
    counts = {"the number of its elements": sample.part.count}
    for axis, size in enumerate(sample.part.shape):
        counts[f"its length along axis {axis}"] = size
    counts["the number of outputs"] = sample.trial.flat.m
    for sign, word in ((1.0, ""), (-1.0, "minus ")):
        for known, text in _KNOWN:
            if abs(factor / known - sign) < 1e-4:
                return word + text
        for text, count in counts.items():
            if count > 1 and abs(factor / count - sign) < 1e-4:
                return f"{word}{count} ({text})"
            if count > 1 and abs(factor * count - sign) < 1e-4:
                return f"{word}1/{count} ({text})"
    return ""


def _where(sample: Sample, wrong: Array) -> str:
    if wrong.all():
        return ", at all elements" if sample.complete and wrong.size > 1 else ""
    return f", {_pattern(sample, wrong) or 'at some elements only'}"


def _pattern(sample: Sample, wrong: Array) -> str:
    """What the wrong elements have in common."""
    piece = slices(sample.trial.flat.inputs)[sample.number]
    x = sample.trial.flat.point[piece][sample.places]
    if not sample.part.dtype.is_complex and 0 < wrong.sum() < wrong.size:
        for text, mask in (
            ("where it is negative", x < 0),
            ("where it is positive", x > 0),
            ("where it is zero", x == 0),
        ):
            if np.array_equal(mask, wrong):
                return text
        for word, above in (("above", x > x[~wrong].max()), ("below", x < x[~wrong].min())):
            if wrong.sum() > 1 and np.array_equal(above, wrong):
                return (
                    f"where it is {word} {wording.number(x[~wrong].max() if word == 'above' else x[~wrong].min(), 4)}"
                )
    return ""


def _conjugated(sample: Sample) -> str | None:
    if not sample.part.dtype.is_complex or not sample.complete:
        return None
    turned: dict[str, Callable[[Array], Array]] = {
        "not conjugated: it is the conjugate of what it should be": np.conj,
        "off by a factor of i": lambda z: 1j * z,
        "off by a factor of -i": lambda z: -1j * z,
        "the imaginary part is missing": lambda z: z.real + 0j,
        "the real part is missing": lambda z: 1j * z.imag,
    }
    right = np.ascontiguousarray(sample.right).view(np.complex128)
    for text, turn in turned.items():
        if sample.fits(np.ascontiguousarray(turn(right)).view(np.float64), sample.wrong):
            return text
    # A rule that forgets conj(f') in w conj(f'): linear in w, so the columns are conjugated and not the result.
    if _conjugated_columns(sample):
        return "not conjugated: dy has to be multiplied with the conjugate of the derivative"
    return None


def _conjugated_columns(sample: Sample) -> bool:
    flat = sample.trial.flat
    if not all(part.dtype.is_complex for part in flat.outputs) or sample.columns.shape[0] % 2:
        return False
    w = np.ascontiguousarray(sample.w).view(np.complex128)
    pairs = sample.columns.reshape(-1, 2, sample.places.size)
    derivative = pairs[:, 0, 0::2] + 1j * pairs[:, 1, 0::2]
    return sample.fits(np.ascontiguousarray(w @ derivative).view(np.float64), sample.wrong)


def _rearranged(sample: Sample) -> str | None:
    if not sample.complete:
        return None
    part = sample.part
    if not part.dtype.is_complex and len(part.shape) >= 2:
        shaped = sample.right.reshape(part.shape)
        if part.shape[-1] == part.shape[-2] and sample.is_all(np.swapaxes(shaped, -1, -2).ravel()):
            return "transposed: it is the transpose of what it should be"
        turned = np.swapaxes(shaped, -1, -2).reshape(-1)
        if sample.is_all(turned):
            return "transposed, and reshaped back"
    if sample.columns.shape[0] == sample.places.size > 1 and sample.is_all(sample.columns @ sample.w):
        return "transposed: the Jacobian is multiplied from the wrong side"
    for axis in range(len(part.shape)):
        if part.dtype.is_complex or part.shape[axis] < 2:
            continue
        shaped = sample.right.reshape(part.shape)
        if sample.is_all(np.flip(shaped, axis).ravel()):
            return f"reversed along axis {axis}"
        for shift in (1, -1):
            if sample.is_all(np.roll(shaped, shift, axis).ravel()):
                return f"shifted by one along axis {axis}"
    return None


def _other_argument(sample: Sample) -> str | None:
    trial = sample.trial
    for number, (part, piece) in enumerate(zip(trial.flat.inputs, slices(trial.flat.inputs), strict=True)):
        if number == sample.number or part.length != sample.part.length or part.length > 256:
            continue
        columns, _ = _columns(trial, (np.arange(piece.start, piece.stop))[sample.places], sample.w)
        right = sample.w[sample.w != 0] @ columns[sample.w != 0]
        if right.any() and sample.fits(right, sample.wrong):
            return f"it is the gradient by another argument: {part.path}"
    return None


def _cotangent_changed(sample: Sample) -> str | None:
    w, columns = sample.w, sample.columns
    on = w != 0
    others = {
        "the cotangent is averaged": np.where(on, w[on].mean(), 0.0),
        "the cotangent is summed": np.where(on, w[on].sum(), 0.0),
        "the cotangent is dropped: it is the gradient of the sum": np.where(on, 1.0, 0.0),
        "the cotangent's absolute value is taken": np.abs(w),
        "the cotangent is reversed": w[::-1],
    }
    for text, other in others.items():
        if on.sum() > 1 and sample.fits(other @ columns, sample.wrong):
            return text
    return None


def _few(sample: Sample) -> str | None:
    wrong = sample.wrong
    if wrong.sum() == wrong.size:
        return None
    pattern = _pattern(sample, wrong)
    if pattern:
        return f"wrong only {pattern}"
    if wrong.sum() == 1:
        return "one element only; the others are right"
    if wrong.sum() <= max(3, 0.1 * wrong.size):
        return f"{int(wrong.sum())} elements only; the others are right"
    return None


def _lacking(sample: Sample) -> str | None:
    """A term that is missing, if it is a multiple of something simple."""
    piece = slices(sample.trial.flat.inputs)[sample.number]
    x = sample.trial.flat.point[piece][sample.places]
    same = sample.trial.flat.m == sample.part.length and sample.complete
    dy = sample.w if same else np.ones_like(x)
    y = sample.trial.centre if same else np.ones_like(x)
    word = "dy" if same else ""
    simple = {"1": np.ones_like(x), "x": x, "x**2": x * x}
    if same:
        simple |= {"y": y, "y**2": y * y, "x * y": x * y}
    with np.errstate(all="ignore"):
        rest = sample.right - sample.given
        for text, term in simple.items():
            base = dy * term
            ratios = rest[sample.wrong] / base[sample.wrong]
            factor = float(np.median(ratios))
            if (
                sample.wrong.sum() > 2
                and np.isfinite(factor)
                and sample.fits(sample.right - factor * base, sample.wrong)
            ):
                names = [name for name in (word, text) if name and name != "1"] or ["1"]
                return f"a missing term: {wording.number(factor, 5)} * {' * '.join(names)} is not there"
    return None


def _other(sample: Sample) -> str:
    if sample.wrong.all() and sample.places.size > 1:
        return "a missing or wrong term, at all elements: what it is off by is no multiple of the right value"
    if sample.places.size == 1:
        ratio = float(sample.given[0] / sample.right[0]) if sample.right[0] else np.inf
        return f"a wrong term or factor: {wording.number(ratio, 5)} times what it should be"
    return "a missing or wrong term, at some elements"
