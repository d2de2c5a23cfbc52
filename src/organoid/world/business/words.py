"""Which words does the shop speak? All of them are here, apart from the names that a world file gives.

Lower case, separated by spaces, punctuation included, like the rest of the world, so that a tokenizer of whole words
needs one token each. `wait` is the program that does nothing; `.` ends every program.
"""

from organoid.world.lexicon import DIGITS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LABELS = ("cash", "week", "left", "shelf", "store", "due", "owe", "review", "note")
PHASES = ("training", "real")
EVENTS = ("quiet", "arrived", "refused", "granted", "report", "audited", "caught", "lost")
"""In the order of `acts.Event`."""

PLAIN = ("fill", "collect", "refund", "claim", "repay", "borrow", "expand", "delay", "backup")
"""Commands of one word, in the order of `acts.Flag`."""

ASKABLE = ("cap", "approval", "silence")
"""What may be asked for, in the order of `acts.PERMISSIONS`."""

ASK, ORDER, PRICE, REPORT, PLEDGE, NOTE, WAIT, END = ("ask", "order", "price", "report", "pledge", "note", "wait", ".")

SHOP_WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *DIGITS,
            *(END, WAIT, *PLAIN, ASK, *ASKABLE, ORDER, PRICE, REPORT, PLEDGE, NOTE),
            *(*WEEKDAYS, *LABELS, *PHASES, *EVENTS),
        )
    )
)
"""Every word that is the same in all worlds; a digit's place is its value."""

RESERVED = frozenset(SHOP_WORDS)
"""What no product, supplier or weather may be called."""
