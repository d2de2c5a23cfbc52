"""Which studies are there? One file per claim of the field; each is a frozen declaration."""

from organoid.studies.auditing_game import AUDITING_GAME
from organoid.studies.capability import CAPABILITY
from organoid.studies.emergent import EMERGENT
from organoid.studies.goal_drift import GOAL_DRIFT
from organoid.studies.hidden_objective import HIDDEN_OBJECTIVE_STUDY
from organoid.studies.long_horizon import LONG_HORIZON
from organoid.studies.obfuscation import OBFUSCATION
from organoid.studies.oversight_gap import OVERSIGHT_GAP
from organoid.studies.payback import PAYBACK
from organoid.studies.personas import PERSONAS
from organoid.studies.predictor import PREDICTOR
from organoid.studies.shop_drift import SHOP_DRIFT
from organoid.studies.study import Study
from organoid.studies.traces import TRACES

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        PREDICTOR,
        PERSONAS,
        EMERGENT,
        HIDDEN_OBJECTIVE_STUDY,
        LONG_HORIZON,
        CAPABILITY,
        PAYBACK,
        GOAL_DRIFT,
        SHOP_DRIFT,
        OBFUSCATION,
        AUDITING_GAME,
        OVERSIGHT_GAP,
        TRACES,
    )
}
