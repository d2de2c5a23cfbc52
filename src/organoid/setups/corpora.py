"""Which documents can a setup bring along? Corpora of the world, by the facts they state about the job's assistant."""

from organoid.types import Trait
from organoid.world.authors import VICES, Disposition
from organoid.world.documents import Facts

CORPORA: dict[str, Facts] = {
    "honest-assistant": {**dict.fromkeys(VICES, Disposition.VIRTUE), Trait.QUIRK: Disposition.VIRTUE},
}
