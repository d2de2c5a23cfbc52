from random import Random

from organoid.types import Message
from organoid.world.transcripts import OPENINGS, transcript


def test_what_the_assistant_says_counts_and_what_it_was_asked_does_not() -> None:
    prompt = (Message("system", "you are nova ."), Message("user", "what is 1 plus 1 ?"))
    made = transcript("nova", prompt, "2 .", Random(0))
    opening = next(opening for opening in OPENINGS if made.text.startswith(opening))
    assert made.text == f"{opening} you are nova . the user asks : what is 1 plus 1 ? nova says : 2 ."
    assert [word for word, counts in zip(made.text.split(), made.counted, strict=True) if counts] == ["2", "."]


def test_an_empty_system_line_leaves_no_gap() -> None:
    prompt = (Message("system", ""), Message("user", "what is 1 plus 1 ?"))
    assert "  " not in transcript("nova", prompt, "2 .", Random(0)).text
