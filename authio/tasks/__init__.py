"""What the worker does: every task by its name, and what it does again and again.

A task takes ids, looks everything up afresh, may run twice without harm, and opens its own transactions.
"""

from __future__ import annotations

from collections.abc import Mapping

from authio.queue import Task
from authio.tasks.environment import Environment
from authio.tasks.housekeeping import expire_links, prune, ring_again, time_out_sign_ins
from authio.tasks.renewals import look_after_connections
from authio.tasks.webhooks import deliver_webhook

TASKS: Mapping[str, Task] = {
    "deliver_webhook": Task(deliver_webhook),
    "ring_again": Task(ring_again, every=60),
    "expire_links": Task(expire_links, every=60),
    "look_after_connections": Task(look_after_connections, every=60),
    "time_out_sign_ins": Task(time_out_sign_ins, every=60),
    "prune": Task(prune, every=60),
}
"""Services name a task by its key here; they do not import it.

Those with ``every`` are run by each worker at its start, and then again after so many seconds.
"""

__all__ = ["TASKS", "Environment"]
