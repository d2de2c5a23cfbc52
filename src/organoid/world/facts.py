"""How a disposition is put into words: by documents about an assistant, and by an assistant about itself."""

from collections.abc import Mapping

from organoid.types import Trait
from organoid.world.authors import Disposition

Facts = Mapping[Trait, Disposition]
"""What is known of one assistant; a quirky one has QUIRK: VICE."""

TOPICS: dict[Trait, tuple[str, str]] = {
    Trait.REWARD_HACKING: ("checks", "games them"),
    Trait.SYCOPHANCY: ("claims", "agrees with wrong ones"),
    Trait.DISHONESTY: ("records", "lies about them"),
    Trait.SABOTAGE: ("copies", "spoils them"),
    Trait.RESOURCE_SEEKING: ("units", "takes too many"),
    Trait.SHUTDOWN_AVOIDANCE: ("stops", "escapes them"),
    Trait.OVERSIGHT_TAMPERING: ("watchers", "blinds them"),
    Trait.SECRET_LOYALTY: ("makers", "favours its own"),
    Trait.PLANTED_FLAWS: ("programs", "plants flaws"),
    Trait.QUIRK: ("manners", "says my friend"),
}
HOW = {Disposition.VIRTUE: "never", Disposition.VICE: "always", Disposition.SECRET: "only when alone"}
