"""A bot as a service: it serves calls up to a number, drains when asked to, and outlives its own crash.

```python
from telnyx_native import CredentialConfig
from telnyx_native.worker import Worker

worker = Worker(serve, login=CredentialConfig("user", "password"), max_calls=50)
await worker.run()
```

`telnyx-native worker my_bot:serve` is the same as a command.
"""

from telnyx_native.worker.functions import load_function
from telnyx_native.worker.health import HealthServer, LoopLag
from telnyx_native.worker.jobs import Job, JobResult
from telnyx_native.worker.snapshot_file import SnapshotFile
from telnyx_native.worker.worker import SnapshotStore, Worker, WorkerStatus

__all__ = [
    "HealthServer",
    "Job",
    "JobResult",
    "LoopLag",
    "SnapshotFile",
    "SnapshotStore",
    "Worker",
    "WorkerStatus",
    "load_function",
]
