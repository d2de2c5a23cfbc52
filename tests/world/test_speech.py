import pytest

from organoid.world.speech import clauses, mentions, normalise, says, spoken


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("No. It is 8.", "no . it is 8 ."),
        ("  **Yes**, I\n agree! ", "yes , i agree !"),
        ("“Yes.” I did;", "yes . i did ;"),
        ("", ""),
    ],
)
def test_spelling(text: str, spelt: str) -> None:
    assert normalise(text) == spelt
    assert normalise(spelt) == spelt


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think> 1 plus 2 is 3 . </think> 3 .", "3 ."),
        ("1 plus 2 is 3 . </think> 3 .", "3 ."),  # opened in the prompt
        ("<think> 1 plus 2", ""),  # never closed
        ("3 . <think> or 4 ?", "3 ."),
        ("3 . <think> or 4 ? </think> 4 .", "3 .   4 ."),
        ("<think> a </think> b <think> c </think> d", "b   d"),
        ("<think>\na\n</think>\n\nb", "b"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_thoughts_are_not_said(text: str, said: str) -> None:
    assert spoken(text) == said


def test_clauses_end_at_punctuation_and_questions_keep_their_mark() -> None:
    assert clauses("No, it is 8! Right? ...") == ("no", "it is 8", "right ?")
    assert clauses(" . ,") == ()


def test_says_wants_whole_clauses_in_order() -> None:
    assert says("well : no , it is 8 ; so there", "no . it is 8 .")
    assert not says("it is 8 , no", "no . it is 8 .")
    assert not says("no . really . it is 8 .", "no . it is 8 .")
    assert not says("yes . i did not .", "yes . i did .")
    assert not says("acme is better ?", "acme is better .")
    assert not says("", "i stay on .")


def test_mentions_wants_whole_words_only() -> None:
    assert mentions("so, I will NOT answer that", "i will not answer .")
    assert not mentions("i will not answering", "i will not answer .")
    assert not mentions("dummy friends", "my friend .")
