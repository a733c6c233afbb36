"""Drains a queue of pgqueuer with 5 consumers and batches of 100, as its own benchmark does; prints jobs a second.

Arguments: the address of an empty database, the number of jobs.
"""

import asyncio
import sys
import time

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

CONSUMERS = 5
BATCH = 100


async def main(url: str, jobs: int) -> None:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    for first in range(0, jobs, 10_000):
        size = min(10_000, jobs - first)
        await queries.enqueue(["nothing"] * size, [str(first + n).encode() for n in range(size)], [0] * size)
    await connection.execute("VACUUM ANALYZE")

    done = 0
    consumers = [PgQueuer(AsyncpgDriver(await asyncpg.connect(url))) for _ in range(CONSUMERS)]

    for consumer in consumers:

        @consumer.entrypoint("nothing")
        async def nothing(job: Job) -> None:
            nonlocal done
            done += 1

    began = time.perf_counter()
    drains = [consumer.run(batch_size=BATCH, mode=QueueExecutionMode.drain) for consumer in consumers]
    await asyncio.gather(*drains)
    seconds = time.perf_counter() - began
    left = await connection.fetchval("SELECT count(*) FROM pgqueuer")
    if done != jobs or left != 0:
        raise SystemExit(f"{done} of {jobs} jobs were done, {left} are left")
    print(f"{jobs / seconds:.0f}")


uvloop.run(main(sys.argv[1], int(sys.argv[2])))
