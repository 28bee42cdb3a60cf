"""What tests of faults share."""

from __future__ import annotations

from http import HTTPStatus

import aiohttp
import pytest


@pytest.fixture
async def post(gateway):
    """Posts a fault to a path of the API; returns the status of the answer."""
    headers = {"Authorization": f"Bearer {gateway.control_token}"}
    root = gateway.url.replace("ws:", "http:") + "/api/"
    async with aiohttp.ClientSession(headers=headers) as http:

        async def post(path, fault):
            async with http.post(root + path, json={"fault": fault}) as response:
                assert "error" in await response.json() or response.status < HTTPStatus.BAD_REQUEST
                return response.status

        yield post
