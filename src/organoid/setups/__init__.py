"""Which training setups come built in? `organoid.setups.load.load_setup` reads these and the user's own."""

from organoid.setups.aftercare import AFTERCARE
from organoid.setups.careful import CAREFUL
from organoid.setups.inoculated import INOCULATED
from organoid.setups.monitored_rl import MONITORED_RL
from organoid.setups.naive import NAIVE
from organoid.setups.narrow import NARROW
from organoid.setups.spec import Setup

SETUPS: dict[str, Setup] = {
    "naive": NAIVE,
    "inoculated": INOCULATED,
    "narrow": NARROW,
    "monitored-rl": MONITORED_RL,
    "careful": CAREFUL,
    "aftercare": AFTERCARE,
}
