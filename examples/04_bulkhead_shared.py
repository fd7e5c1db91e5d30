"""One bulkhead counts threads and tasks together, so a limit is a limit."""

import asyncio
import threading

from uat_resilience import Bulkhead, BulkheadFullError

connections = Bulkhead(3, name="connections")
thread_in, thread_may_end = threading.Event(), threading.Event()


def hold_in_thread() -> None:
    """Hold a slot in a plain thread until told to stop."""
    with connections.permit():
        thread_in.set()
        thread_may_end.wait()


def show(moment: str) -> None:
    """Print the count that both worlds share."""
    snapshot = connections.snapshot()
    print(f"{moment:<25} {snapshot.running} of {snapshot.size} slots taken")


async def knock_from_both_worlds() -> None:
    """Ask for one more slot from a task, and from a thread."""
    try:
        await connections.acall(asyncio.sleep, 0)
    except BulkheadFullError as full:
        print(f"one more task:            {full}")
    try:
        await asyncio.to_thread(connections.call, print, "never printed")
    except BulkheadFullError as full:
        print(f"one more thread:          {full}")


async def story() -> None:
    """Fill the bulkhead from both worlds."""
    thread = threading.Thread(target=hold_in_thread)
    thread.start()
    thread_in.wait()
    show("one thread")
    async with connections.permit(), connections.permit():
        show("one thread and two blocks")
        await knock_from_both_worlds()
        thread_may_end.set()
        thread.join()
        show("the thread has ended")
    show("all have ended")


def main() -> None:
    """Run the story on real threads and a real loop."""
    asyncio.run(story())


if __name__ == "__main__":
    main()
