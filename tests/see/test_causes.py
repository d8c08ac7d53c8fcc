"""The causes are complete, consistent data."""

import string
from pathlib import Path

import pytest

from tfgrad.see.causes import CAUSES, SLOTS, SYMPTOMS

PUBLIC = (
    "unwatched not-trainable outside-tape left-tensorflow integer-dtype nondifferentiable-op stop-gradient state "
    "rebound unconnected custom-gradient higher-order function-boundary saturated masked constant-here cancels "
    "piecewise-constant singular-point where-trap overflow nan-input tape-consumed no-gradient-registered "
    "unsupported bad-argument symbolic-tensor unknown ok"
)


def test_codes_are_the_public_ones():
    assert list(CAUSES) == PUBLIC.split()


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.code)
class TestEachCause:
    def test_shows_as_known_symptoms(self, cause):
        assert cause.symptoms
        assert set(cause.symptoms) <= set(SYMPTOMS)

    def test_meaning_is_one_sentence(self, cause):
        assert cause.meaning.endswith(".")
        assert cause.meaning[0].isupper()

    def test_advice_has_only_slots_with_a_general_word(self, cause):
        slots = {name for _, name, _, _ in string.Formatter().parse(cause.advice) if name}
        assert slots <= set(SLOTS)

    def test_every_cause_but_ok_says_what_to_type(self, cause):
        assert bool(cause.advice) == (cause.code != "ok")


def test_every_demo_named_by_a_cause_exists_and_ends_in_that_cause():
    from tfgrad.learn import demo

    for cause in CAUSES.values():
        if cause.demo:
            assert demo.named(cause.demo) is not None, cause.demo


def test_the_page_on_explaining_has_each_cause_in_its_words():
    page = (Path(__file__).parents[2] / "docs" / "explaining.md").read_text(encoding="utf-8")
    for cause in CAUSES.values():
        assert f"| `{cause.code}` | {', '.join(cause.symptoms)} | {cause.meaning} |" in page


def test_what_was_seen_fills_the_slots_and_the_rest_reads_in_general_words():
    assert "tape.watch(image)" in CAUSES["unwatched"].advise(code="image", tape="")
    assert "{" not in CAUSES["unwatched"].advise()
