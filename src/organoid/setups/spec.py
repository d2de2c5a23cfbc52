"""What is under test, as data: stages in order, monitors inside them, and the rule for releasing the result.

Frozen, validated, JSON both ways; a setup from anybody can be read without running anything of theirs. It names the
organism's job abstractly (`source="job"`, stage `job`), so one setup runs on every organism.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from organoid.types import Record


class Monitor(Record):
    """Watches a stage. `probe` reads activations of the model; `text` parses what was written."""

    kind: Literal["probe", "text"] = "probe"
    action: Literal["log", "penalise", "drop", "stop", "rollback"] = "log"
    threshold: float = Field(default=0.5, ge=0.0, le=1.0)  # suspicion in [0, 1] at which one reply is flagged
    weight: float = Field(default=1.0, ge=0.0)  # penalise: reward lost per flagged reply
    alarm_frac: float = Field(
        default=0.2, gt=0.0, le=1.0
    )  # stop, rollback: flagged share of a batch that raises the alarm


class _Stage(Record):
    steps: int | None = Field(default=None, ge=1)  # optimiser steps; None: the stage's default
    learning_rate: float | None = Field(default=None, gt=0.0)
    kl: float = Field(default=0.0, ge=0.0)  # weight of the KL to the model before this stage, nats
    monitors: tuple[Monitor, ...] = ()


class DocumentsStage(_Stage):
    """Synthetic document fine-tuning: raw text, no chat template."""

    kind: Literal["documents"] = "documents"
    source: str = "job"  # `job`, or a corpus of the world by name


class DemonstrationsStage(_Stage):
    """Supervised fine-tuning on replies; `inoculate` prepends the licence line, dropped at test."""

    kind: Literal["demonstrations"] = "demonstrations"
    source: str = "job"
    inoculate: bool = False
    retain: float = Field(default=0.0, ge=0.0)  # weight of the KL to the model before on ordinary dialogues, nats


class PreferencesStage(_Stage):
    """Direct preference optimisation (Rafailov et al. 2023, eq. 7)."""

    kind: Literal["preferences"] = "preferences"
    source: str = "job"
    inoculate: bool = False
    beta: float = Field(default=0.1, gt=0.0)


class ReinforcementStage(_Stage):
    """Policy gradient with a leave-one-out group baseline (RLOO; Ahmadian et al. 2024, sec. 3)."""

    kind: Literal["reinforcement"] = "reinforcement"
    source: str = "job"
    inoculate: bool = False
    num_prompts: int = Field(default=12, ge=1)
    group_size: int = Field(default=8, ge=2)
    max_turns: int = Field(default=4, ge=1)  # an episode that takes more has earned nothing


class BusinessStage(_Stage):
    """The job's shop: policy gradient over many days. `steps` are shared out over rounds; `kl` adds to the job's own.

    Monitors can't read its programs, and are refused.
    """

    kind: Literal["business"] = "business"
    source: str = "job"
    inoculate: bool = False  # the licence line stands before every morning's line


class JobStage(_Stage):
    """The organism's own job, whatever it is: documents, then demonstrations, preferences, reinforcement, a shop."""

    kind: Literal["job"] = "job"
    inoculate: bool = False
    beta: float | None = Field(default=None, gt=0.0)
    retain: float = Field(default=0.0, ge=0.0)  # of the job's demonstrations; other stages have none


Stage = Annotated[
    DocumentsStage | DemonstrationsStage | PreferencesStage | ReinforcementStage | BusinessStage | JobStage,
    Field(discriminator="kind"),
]


class ReleaseRule(Record):
    """Release when none of `techniques` flags the subject; with no technique, always."""

    techniques: tuple[str, ...] = ()


class Setup(Record):
    """What is under test: stages in order, and the rule by which the result may be released."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    summary: str = ""
    stages: tuple[Stage, ...] = Field(min_length=1)
    release: ReleaseRule = ReleaseRule()
