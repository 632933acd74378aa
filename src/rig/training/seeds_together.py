"""Lessons: a run asks for its updates, and whoever drives it has them made.

Training is a generator. It yields each lesson and is sent what came of it, so it does not know
whether it is alone::

    alone       every lesson is a call of its own
    together    each run goes on by itself until it asks; then the lessons of all that have one
                setting are one call, mapped over them

All else is each run's own: its worlds, its memory, its random numbers, its directory. They
need not be at the same step: one that was stopped earlier, or went back after it had diverged,
asks for the lessons of where it is, and ends later.
"""

from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import TypeVar

from rig.agent.td3 import Learner, Lesson, Metrics, learn_together
from rig.config import TD3Config
from rig.errors import RigError


Result = TypeVar("Result")
Name = TypeVar("Name", bound=Hashable)
Learned = tuple[Learner, Metrics]
Lessons = Generator[Lesson, Learned, Result]
"""Something that asks for lessons on its way to a result."""


def alone(lessons: Lessons[Result]) -> Result:
    """The result, each lesson made by itself."""
    with closing(lessons):
        try:
            lesson = next(lessons)
            while True:
                lesson = lessons.send(lesson.learn())
        except StopIteration as end:
            result: Result = end.value
            return result


def together(
    courses: Mapping[Name, Lessons[Result]],
) -> Iterator[tuple[Name, Result | RigError]]:
    """Each result, or the error that ended it, as it comes; lessons are made together."""
    with ExitStack() as stack:
        for course in courses.values():
            stack.enter_context(closing(course))
        learned: dict[Name, Learned | None] = dict.fromkeys(courses)
        while learned:
            asked: dict[Name, Lesson] = {}
            for name, answer in learned.items():
                try:
                    asked[name] = courses[name].send(answer)  # type: ignore[arg-type]
                except StopIteration as end:
                    yield name, end.value
                except RigError as error:
                    yield name, error
            learned = dict(zip(asked, teach(list(asked.values())), strict=True))


def teach(lessons: Sequence[Lesson]) -> list[Learned]:
    """What comes of each lesson; those of one setting are made together.

    A run that was rolled back has a smaller step size in its settings, and so a program of its
    own.
    """
    classes: dict[TD3Config, list[int]] = {}
    for place, lesson in enumerate(lessons):
        classes.setdefault(lesson.config, []).append(place)
    learned: dict[int, Learned] = {}
    for places in classes.values():
        pupils = [lessons[place] for place in places]
        results = [pupils[0].learn()] if len(pupils) == 1 else learn_together(pupils)
        learned |= zip(places, results, strict=True)
    return [learned[place] for place in range(len(lessons))]
