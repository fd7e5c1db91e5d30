"""Ids of requests: nobody else has them, not even a forked child."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from uat_resilience.integrations.headers import new_request_id, valid_request_id

FORKING = """
import os
from uat_resilience.integrations.headers import new_request_id

new_request_id()
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, " ".join(new_request_id() for _ in range(100)).encode())
    os._exit(0)
os.close(writing)
with open(reading) as child:
    print(len({*child.read().split(), *(new_request_id() for _ in range(100))}))
os.wait()
"""


def test_ids_of_many_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: new_request_id(), range(2_000)))

    assert len(set(ids)) == 2_000
    assert {len(each) for each in ids} == {32}
    assert all(valid_request_id(each) for each in ids)


def test_forked_child_has_ids_of_its_own() -> None:
    command = [sys.executable, "-c", FORKING]

    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code

    assert told.stdout.strip() == "200"
