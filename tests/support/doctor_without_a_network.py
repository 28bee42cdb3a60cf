"""What the doctor says of a server that no route leads to: run in a network namespace of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict

from telnyx_native import TxServerConfiguration
from telnyx_native.doctor import Status, examine

if __name__ == "__main__":
    diagnosis = asyncio.run(examine(TxServerConfiguration("192.0.2.1", 443, ice_servers=())))
    (failed,) = (finding for finding in diagnosis.findings if finding.status is Status.FAILED)
    sys.stdout.write(json.dumps(asdict(failed)))
