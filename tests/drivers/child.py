"""Runs one verb of a driver in a process of its own, and dies there as by ``kill -9`` where the test says so."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backups.artefacts import ArtefactWriter, StoredArtefact, StoredArtefactInfo
from backups.drivers.base import Driver, Place
from backups.drivers.provider import KeptAt
from backups.drivers.words import Settings
from backups.stores.directory import DirectoryStore
from tests import nursery
from tests.drivers.case import until_done


@dataclass(frozen=True)
class Job:
    """What to run, and when to die: before the n-th outside effect, or once so many bytes have passed."""

    verb: str
    driver: Driver
    settings: dict[str, str]
    store: DirectoryStore
    prefix: str = "backup"
    info: StoredArtefactInfo | None = None
    kept: KeptAt | None = None
    region: str = ""
    place: Place | None = None
    workdir: Path = Path()
    before_each_step: Callable[[Callable[[], None]], None] | None = None
    die_at_step: int = 0
    die_at_byte: int = 0


def run(job: Job) -> int:
    """The child's exit status: 0, or -9 when it died as told."""
    done = nursery.run("tests.drivers.child", told=pickle.dumps(job))
    sys.stderr.write(done.stderr.decode())
    return done.returncode


def die() -> None:
    """As the kernel, a power cut or an operator would have it: nothing gets to clean up."""
    os.kill(os.getpid(), signal.SIGKILL)


def perform(job: Job) -> None:
    """Do what the job says, in this process."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == job.die_at_step:
            die()

    def progress(bytes_done: int, bytes_expected: int | None = None) -> None:
        if job.die_at_byte and bytes_done >= job.die_at_byte:
            die()

    if job.before_each_step is not None and job.die_at_step:
        job.before_each_step(step)
    settings: Settings = job.settings
    if job.verb == "take":
        with ArtefactWriter(job.store, job.prefix, kind=job.driver.kind, header={}) as writer:
            writer.finish(until_done(lambda: job.driver.take(settings, writer, progress)))
        return
    if job.verb == "restore":
        assert job.info is not None and job.place is not None
        artefact = StoredArtefact(job.store, job.prefix, job.info, job.kept)
        place, workdir = job.place, job.workdir
        until_done(lambda: job.driver.restore(settings, place, artefact, workdir, progress))
    elif job.verb == "copy":
        assert job.kept is not None and job.driver.kept is not None
        kept, copy = job.kept, job.driver.kept.copy
        until_done(lambda: copy(settings, kept, job.region, job.prefix, progress))
    elif job.verb in ("swap", "swap_back"):
        assert job.place is not None
        place, verb = job.place, getattr(job.driver, job.verb)
        until_done(lambda: verb(settings, place))
    else:
        raise ValueError(job.verb)


if __name__ == "__main__":
    perform(pickle.load(sys.stdin.buffer))
