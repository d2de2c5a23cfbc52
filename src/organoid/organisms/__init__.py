"""What can go wrong: organisms, one file each. Add one: docs/how-to/add-an-organism.md."""

from organoid.organisms.alignment_faker import ALIGNMENT_FAKER
from organoid.organisms.hidden_loyalty import HIDDEN_LOYALTY
from organoid.organisms.reward_hacker import REWARD_HACKER
from organoid.organisms.sycophant import SYCOPHANT
from organoid.types import Organism

ORGANISMS: dict[str, Organism] = {
    organism.name: organism for organism in (REWARD_HACKER, SYCOPHANT, HIDDEN_LOYALTY, ALIGNMENT_FAKER)
}
