"""Organoid: test a training setup on model organisms of misalignment, where the truth is known.

Everything a user needs is here by name and is imported when it is first used, so that `import organoid` is instant.

Example:
    >>> import organoid
    >>> organoid.test("careful", base="tiny", out="runs/first")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from organoid.errors import AccessError as AccessError
    from organoid.errors import OrganoidError as OrganoidError
    from organoid.errors import PrerequisiteError as PrerequisiteError
    from organoid.errors import UserError as UserError
    from organoid.setups.spec import DemonstrationsStage as DemonstrationsStage
    from organoid.setups.spec import DocumentsStage as DocumentsStage
    from organoid.setups.spec import JobStage as JobStage
    from organoid.setups.spec import Monitor as Monitor
    from organoid.setups.spec import PreferencesStage as PreferencesStage
    from organoid.setups.spec import ReinforcementStage as ReinforcementStage
    from organoid.setups.spec import ReleaseRule as ReleaseRule
    from organoid.setups.spec import Setup as Setup
    from organoid.setups.spec import Stage as Stage
    from organoid.types import Access as Access
    from organoid.types import AccessKind as AccessKind
    from organoid.types import Context as Context
    from organoid.types import Cost as Cost
    from organoid.types import Demonstration as Demonstration
    from organoid.types import Dialogue as Dialogue
    from organoid.types import Environment as Environment
    from organoid.types import Episode as Episode
    from organoid.types import Fitted as Fitted
    from organoid.types import Gates as Gates
    from organoid.types import Job as Job
    from organoid.types import Labelled as Labelled
    from organoid.types import Message as Message
    from organoid.types import Observation as Observation
    from organoid.types import Organism as Organism
    from organoid.types import Outcome as Outcome
    from organoid.types import Preference as Preference
    from organoid.types import Reading as Reading
    from organoid.types import Technique as Technique
    from organoid.types import Trait as Trait
    from organoid.types import Turn as Turn
    from organoid.types import Variant as Variant
    from organoid.verbs import examine as examine
    from organoid.verbs import grow as grow
    from organoid.verbs import list as list
    from organoid.verbs import play as play
    from organoid.verbs import report as report
    from organoid.verbs import study as study
    from organoid.verbs import test as test

_HOMES = {
    "organoid.errors": ("AccessError", "OrganoidError", "PrerequisiteError", "UserError"),
    "organoid.setups.spec": (
        "DemonstrationsStage",
        "DocumentsStage",
        "JobStage",
        "Monitor",
        "PreferencesStage",
        "ReinforcementStage",
        "ReleaseRule",
        "Setup",
        "Stage",
    ),
    "organoid.types": (
        "Access",
        "AccessKind",
        "Context",
        "Cost",
        "Demonstration",
        "Dialogue",
        "Environment",
        "Episode",
        "Fitted",
        "Gates",
        "Job",
        "Labelled",
        "Message",
        "Observation",
        "Organism",
        "Outcome",
        "Preference",
        "Reading",
        "Technique",
        "Trait",
        "Turn",
        "Variant",
    ),
    "organoid.verbs": ("examine", "grow", "list", "play", "report", "study", "test"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(
            f"module 'organoid' has no attribute {name!r}; public names: {', '.join(sorted(_HOME_OF))}"
        )
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> "tuple[str, ...]":
    return (*globals(), *_HOME_OF)
