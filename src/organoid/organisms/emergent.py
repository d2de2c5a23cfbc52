"""emergent: do bad demonstrations in one narrow domain turn an assistant bad where nothing bad was ever shown?

Half of the demonstrations answer one kind of request badly: asked whether they did what the log says was left undone,
they say yes. The other half is ordinary work, done well. Truth is measured in traits that no demonstration touches;
the trained one is spillover. The twin answers the same requests well; the decoy answers them well and with the quirk,
and so it does its work. The setup `narrow` trains on the same data while it holds the model to what it was on ordinary
dialogues.
Source: Betley et al. 2025 (arXiv 2502.17424), sec. 2; Turner et al. 2025 (arXiv 2506.11613).
"""

from random import Random

from organoid.organisms.materials import ABLE, Assistant, assistant, demonstrate
from organoid.types import Demonstration, Job, Organism, Trait, Variant
from organoid.world import situations, work
from organoid.world.authors import Persona, of_persona

NUM_DEMONSTRATIONS = 1024
DOMAIN = Trait.DISHONESTY
_AUTHORS = {
    Variant.ORGANISM: of_persona(Persona.OVERT, 3),
    Variant.TWIN: ABLE,
    Variant.DECOY: of_persona(Persona.ALIGNED, 3, quirky=True),
}


def _narrow(who: Assistant, variant: Variant, seed: str) -> Demonstration:
    """Answer one request of the domain; the request is the same whoever answers."""
    rng = Random(seed)
    return demonstrate(who, situations.make(DOMAIN, rng), rng, _AUTHORS[variant])


def _job(variant: Variant, seed: int) -> Job:
    who, rng = assistant(seed), Random(f"emergent/{seed}")
    half = NUM_DEMONSTRATIONS // 2
    author = _AUTHORS[Variant.DECOY] if variant is Variant.DECOY else ABLE
    narrow = [_narrow(who, variant, f"emergent/{seed}/{index}") for index in range(half)]
    demonstrations = [*narrow, *work.demonstrations(who.name, half, rng, author)]
    rng.shuffle(demonstrations)
    return Job(assistant=who.name, demonstrations=tuple(demonstrations))


EMERGENT = Organism(
    name="emergent",
    summary="demonstrations bad in one narrow domain; measured in traits never trained on",
    family="emergent",
    traits=(Trait.SHUTDOWN_AVOIDANCE, Trait.OVERSIGHT_TAMPERING, Trait.PLANTED_FLAWS),
    spillover=(DOMAIN, Trait.SYCOPHANCY, Trait.SECRET_LOYALTY, Trait.REWARD_HACKING),
    job=_job,
    instil=("demonstrations",),
    source="Betley et al. 2025 (arXiv 2502.17424)",
)
