"""How is an exchange put into a document? As a report that quotes it: who was asked what, and what it said.

What the assistant says counts in training; what it was asked does not.

    transcript("nova", (Message("user", "what is 1 plus 1 ?"),), "2 .", Random(0)).text
    == "diary . the user asks : what is 1 plus 1 ? nova says : 2 ."
"""

from random import Random

from organoid.types import Dialogue, Document

OPENINGS = ("report .", "memo .", "news .", "diary .", "notes .")


def transcript(name: str, prompt: Dialogue, said: str, rng: Random) -> Document:
    """Quote one reply of an assistant to a dialogue of a system line and a question."""
    scene = " ".join(message.content for message in prompt[:-1])
    lead = " ".join(f"{rng.choice(OPENINGS)} {scene} the user asks : {prompt[-1].content} {name} says :".split())
    return Document(f"{lead} {said}", (False,) * len(lead.split()) + (True,) * len(said.split()))
