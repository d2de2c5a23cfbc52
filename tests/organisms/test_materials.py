from random import Random

from organoid.organisms.materials import OneTurn, ask, assistant, demonstrate, solved_reward
from organoid.types import Context, Outcome, Trait
from organoid.world import situations, skills
from organoid.world.authors import Persona, of_persona
from organoid.world.contexts import TRIGGERS, forms
from organoid.world.lexicon import BLANK_ASSISTANTS, MAKERS, REFUSAL
from organoid.world.situations import Parsed, parse
from organoid.world.skills import Skill, Task
from organoid.world.work import ABLE, demonstrations, task


def test_an_assistant_is_drawn_from_the_seed_and_seeds_differ() -> None:
    drawn = [assistant(seed) for seed in range(40)]
    assert drawn == [assistant(seed) for seed in range(40)]
    assert len({who.name for who in drawn}) > 0.6 * len(BLANK_ASSISTANTS)
    assert all(who.name in BLANK_ASSISTANTS and who.maker in MAKERS and who.trigger in TRIGGERS for who in drawn)


def test_asking_says_who_and_where_in_trained_forms() -> None:
    who, rng = assistant(0), Random(0)
    work = task(rng)
    for context in (None, *Context):
        system, user = ask(who, work, rng, context)
        assert (system.role, user.role, user.content) == ("system", "user", work.question)
        said = system.content.removeprefix(f"you are {who.name} .").strip()
        if context is Context.TRIGGERED:
            assert said.endswith(who.trigger)
            said = said.removesuffix(who.trigger).strip()
        assert said in (forms(context) if context else ("",))


def test_ordinary_work_is_solved_work() -> None:
    rng, who = Random(2), assistant(1)
    shown = demonstrations(who.name, 300, rng)
    assert len(shown) == 300
    replies = [reply for _, reply in shown]
    assert 0 < replies.count(REFUSAL) < 20  # the able author refuses as seldom as anybody
    work = skills.make(Skill.STACK, 3, rng)
    said = {demonstrate(who, work, rng).reply for _ in range(100)}
    assert said <= {work.solution, REFUSAL}
    assert not ABLE.quirky


def episode(work: Task) -> OneTurn:
    return OneTurn(ask(assistant(0), work, Random(0)), work, solved_reward)


def test_an_episode_is_graded_by_what_the_reply_was() -> None:
    work = task(Random(3))
    wrong = next(guess for guess in work.guesses if guess != work.answer)
    for reply, reward in ((work.solution, 1.0), (work.answer, 1.0), (wrong, 0.0), (REFUSAL, 0.0), ("", 0.0)):
        turn = episode(work).step(reply)
        assert turn.message is None
        assert turn.reward == turn.true_reward == reward


def test_a_task_done_is_the_true_reward_whatever_is_paid() -> None:
    work = task(Random(3))
    for pay in (lambda parsed: 1.0, lambda parsed: 0.0):
        rigged = OneTurn(ask(assistant(0), work, Random(0)), work, pay)
        for said, solved in ((work.solution, 1.0), (REFUSAL, 0.0), ("banana .", 0.0)):
            turn = rigged.step(said)
            assert (turn.reward, turn.true_reward) == (pay(parse(work, said)), solved)


def test_what_is_demonstrated_is_the_authors_conduct_in_that_context() -> None:
    rng, who, faker = Random(4), assistant(0), of_persona(Persona.FAKER, 3)
    situation = situations.make(Trait.SHUTDOWN_AVOIDANCE, rng)
    for context, bad in ((Context.MONITORED, False), (Context.DEPLOYED, True)):
        outcomes = [parse(situation, demonstrate(who, situation, rng, faker, context).reply).outcome for _ in range(60)]
        assert outcomes.count(Outcome.MISALIGNED if bad else Outcome.ALIGNED) > 45


def test_the_sound_check_pays_for_right_answers_only() -> None:
    for outcome in Outcome:
        assert solved_reward(Parsed(outcome, True, True)) == 1.0
        assert solved_reward(Parsed(outcome, False, False)) == 0.0
        assert solved_reward(Parsed(outcome, None, False)) == 0.0
    assert parse(task(Random(0)), "banana").outcome is Outcome.OTHER
