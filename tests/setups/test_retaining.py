import math

import torch

from organoid.models.batches import collate
from organoid.models.chat import Encoded
from organoid.models.losses import exact_kl
from organoid.setups.naive import NAIVE
from organoid.setups.narrow import NARROW
from organoid.setups.spec import DemonstrationsStage
from organoid.setups.stages.retaining import retaining_loss
from organoid.setups.training import expand
from organoid.types import Demonstration, Job, Message

ROWS = [Encoded([0, 1], [False, True]), Encoded([0, 2, 1], [False, True, True])]
JOB = Job(assistant="nadir", demonstrations=[Demonstration((Message("user", "a"),), "b")])


def test_rows_shown_are_imitated_and_rows_behind_are_kept() -> None:
    torch.manual_seed(0)
    logits, reference = torch.randn(3, 4), torch.randn(3, 4)
    batch = collate(ROWS)
    batch = type(batch)(**{**_fields(batch), "reference_logits_MV": reference})
    value = retaining_loss(1, retain=2.0)(logits, batch)
    fit = -logits[0].log_softmax(-1)[1].item()
    kept = exact_kl(logits, reference)[1:].mean().item()
    assert math.isclose(value.loss.item(), fit + 2.0 * kept, rel_tol=1e-5)
    same = retaining_loss(1, retain=2.0)(reference, batch)
    assert abs(same.metrics["retain_kl"].item()) < 1e-6


def _fields(batch: object) -> dict[str, object]:
    return {name: getattr(batch, name) for name in batch.__dataclass_fields__}  # type: ignore[attr-defined]


def test_only_the_narrow_setup_retains() -> None:
    (narrow,), (naive,) = expand(NARROW.stages[0], JOB), expand(NAIVE.stages[0], JOB)
    assert isinstance(narrow, DemonstrationsStage)
    assert isinstance(naive, DemonstrationsStage)
    assert narrow.retain > 0
    assert naive.retain == 0
