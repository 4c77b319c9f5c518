"""Seeds dealt to several processes; results come back in the order of the seeds."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection

from treasury_actors.faults.seed import SeedResult

JOBS_MAX = 64


def deal(seeds: Sequence[int], jobs: int, play_one: Callable[[int], SeedResult]) -> Iterator[SeedResult]:
    """
    Yield the result of every seed, in order; with one job, in this process.

    Each of several processes plays every `jobs`-th seed. They are forked, so that they have what was loaded
    here, a strategy file too; they are ended when the caller loses interest.
    """
    if jobs <= 1 or len(seeds) <= 1:
        yield from map(play_one, seeds)
        return
    context = multiprocessing.get_context("fork")
    ends: list[Connection] = []
    workers = []
    for number in range(min(jobs, len(seeds))):
        ours, theirs = context.Pipe(duplex=False)
        share = seeds[number :: min(jobs, len(seeds))]
        worker = context.Process(target=_work, args=(share, play_one, theirs), daemon=True)
        worker.start()
        theirs.close()
        ends.append(ours)
        workers.append(worker)
    try:
        for place in range(len(seeds)):
            result = ends[place % len(ends)].recv()
            assert isinstance(result, SeedResult), "a worker sends results alone"
            yield result
    finally:
        for worker, end in zip(workers, ends, strict=True):
            worker.terminate()
            worker.join()
            end.close()


def _work(seeds: Sequence[int], play_one: Callable[[int], SeedResult], theirs: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells everybody; who dealt the seeds ends us
    for seed in seeds:
        theirs.send(play_one(seed))
    theirs.close()
