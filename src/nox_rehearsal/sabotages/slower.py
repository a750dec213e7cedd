"""The release is slower than the one before, or its load test cannot be compared with that one's."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nox_rehearsal.day import loading, under_load
from nox_rehearsal.sabotages import load_edits
from nox_rehearsal.sabotages.load import AUTH_PATHS, DATA_PATHS, HEALTH_PATHS, SCIENCE_PATHS
from nox_rehearsal.sabotages.release_edits import recorded
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import answers, answers_as
from nox_rehearsal.world.state import World
from noxgate.slo.ramps import Ramp
from noxgate.slo.result import NAME, Result, folder_name, read, write

LINE = "staging.slower-than-before"
VERSION = "7.9.3"
KEPT = f"load-{VERSION}"  # in a world's folder
PATHS = (*HEALTH_PATHS, *AUTH_PATHS, *SCIENCE_PATHS, *DATA_PATHS)
USUAL = 0.04  # seconds of each answer: three times that on a busy machine are still below 300 ms


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    after = partial(Sabotage, LINE)
    # a sign-in hashes: on a busy machine it is near 300 ms by itself
    most = delayed(PATHS, 3 * USUAL) | delayed(AUTH_PATHS, USUAL)
    what = "all but sign-ins three times slower, and below 300 ms"
    yield after("three-times", what, beside(answers(most)), "times (")
    data = delayed(PATHS, USUAL) | delayed(DATA_PATHS, 3 * USUAL)
    yield after("one-class", "one class of five is three times slower", beside(answers(data)), "data on")
    missing = named(lambda _: None)
    yield after("missing", "its result went away", missing, "saw none is there", outcome="not run")
    unsealed = named(load_edits.as_it_is, load_edits.written_again)
    why = "was changed after it was signed"
    yield after("unsealed", "its file was written again", unsealed, why, outcome="not run")
    other = named(lambda result: replace(result, version="7.9.2"))
    yield after("other-version", "of a version before that", other, "version 7.9.2", outcome="not run")
    unlike = partial(after, outcome="undecided")
    more = named(_more_cores)
    yield unlike("other-machine", "sent from another machine", more, "its generator ran on")
    silent = named(lambda result: replace(result, generators=()))
    yield unlike("no-machine", "of a gate that noted no machine", silent, "on what machine")
    busier = named(lambda result: replace(result, ramp=_another(result)))
    yield unlike("other-ramp", "its users paused for longer", busier, "another than the new one's")


def delayed(paths: Sequence[str], seconds: float) -> dict[str, Any]:
    """What the API is to do with these paths."""
    return {path: {"delay": seconds} for path in paths}


def _more_cores(result: Result) -> Result:
    return replace(result, generators=tuple(replace(one, cores=2 * one.cores) for one in result.generators))


def _another(result: Result) -> Ramp:
    return replace(result.ramp, think=(0.11, 0.31))


def beside(broken: Switch) -> Switch:
    """A load test while something is broken, and one of the version before, whose answers take USUAL."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with ExitStack() as more:
            more.enter_context(_recorded(world, measured(world)))
            with broken(world):
                more.enter_context(loading.one_more(world))
            yield

    return on


def measured(world: World) -> Path:
    """The folder of a load test of the version before, made once in a world."""
    folder = world.folder / KEPT
    if not folder.is_dir():
        loading.good(world)  # of this release: nothing is broken yet
        with (
            answers_as(VERSION, delayed(PATHS, USUAL))(world),
            loading.one_more(world),
        ):
            # the command that ran it belongs to the checkout of this release
            result = replace(read(under_load.results(world)[-1] / NAME), release=VERSION)
        _put(world, folder, result)
    return folder


def named(
    edit: Callable[[Result], Result | None], afterwards: Callable[[Path], None] = lambda _: None
) -> Switch:
    """The record names a version before, whose result is the good one with something changed; or none."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        good = read(loading.good(world) / NAME)
        folder = world.folder / f"{KEPT}.edited"
        folder.mkdir()
        try:
            if (result := edit(replace(good, release=VERSION, version=VERSION))) is not None:
                afterwards(_put(world, folder, result))
            with _recorded(world, folder):
                yield
        finally:
            shutil.rmtree(folder)

    return on


def _put(world: World, folder: Path, result: Result) -> Path:
    """Keep a result, signed as if it had been measured."""
    place = folder / folder_name(result)
    place.mkdir(parents=True)
    write(place / NAME, result)
    loading.making(world, result.nonce).sign(place, result)
    return place


@contextmanager
def _recorded(world: World, folder: Path) -> Iterator[None]:
    """The release record names the version before, and where its results are."""
    table = f'[measured_before]\nversion = "{VERSION}"\nload_results = "{folder}"\n\n[links]'
    with recorded("[links]", table)(world):
        yield
