"""Fresh texts of pre-training stand behind each batch; a setup asks for them by `replay`."""

from itertools import islice

from organoid.models.batches import collate
from organoid.models.language_model import copy
from organoid.setups.ground import Ground
from organoid.setups.spec import DemonstrationsStage, DocumentsStage, JobStage
from organoid.setups.stages.replaying import beside_texts, encode
from organoid.setups.training import expand
from organoid.world.corpus import texts
from tests.bases import untrained
from tests.setups.jobs import job


def ground(seed: int = 0) -> Ground:
    lm = untrained()
    return Ground(lm=copy(lm), before=lm, job=job(), seed=seed)


def rows_behind(here: Ground, *, steps: int, num_texts: int, stream: str = "documents") -> list[list[int]]:
    """Return what stands behind the batches: the real tokens of every text."""
    shown = collate([encode(here.lm, next(texts(5)))])
    found = list[list[int]]()
    for first, *behind in beside_texts(([shown] for _ in range(steps)), here, num_texts=num_texts, stream=stream):
        assert first is shown
        assert sum(batch.num_rows for batch in behind) == num_texts
        found += [[token for token in row if token != 0] for batch in behind for row in batch.ids_BT.tolist()]
    return found


def test_texts_are_fresh_each_step_alike_under_a_seed_and_none_of_a_bases() -> None:
    one, same, other = (rows_behind(ground(seed), steps=3, num_texts=5) for seed in (0, 0, 1))
    assert one == same != other
    assert len({tuple(row) for row in one}) > 12  # of 15
    assert one != rows_behind(ground(), steps=3, num_texts=5, stream="demonstrations")
    here = ground()
    grown_on = {tuple(encode(here.lm, text).ids) for seed in range(10) for text in islice(texts(seed), 200)}
    assert sum(tuple(row) in grown_on for row in one) <= 1  # a short text may be written twice


def test_a_job_stage_hands_it_to_documents_and_demonstrations_alone() -> None:
    by_kind = {stage.kind: stage for stage in expand(JobStage(replay=2.0), job())}
    assert isinstance(by_kind["documents"], DocumentsStage)
    assert isinstance(by_kind["demonstrations"], DemonstrationsStage)
    assert by_kind["documents"].replay == by_kind["demonstrations"].replay == 2.0
    assert not hasattr(by_kind["preferences"], "replay")
    assert all(getattr(stage, "replay", 0.0) == 0.0 for stage in expand(JobStage(), job()))
