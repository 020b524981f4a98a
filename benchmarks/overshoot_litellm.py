"""The same question asked of LiteLLM's proxy, by hand and beside the benchmarks: never a dependency of ours.

Make a venv of its own with ``litellm[proxy]``, look at what you install there, and run from the repository:

    HANDRAIL_LITELLM=/path/to/that/venv/bin/python .venv/bin/python -m benchmarks.overshoot_litellm

It starts the proxy without a database, with a budget of $10 for everything, and asks fifty calls of $1 at
once; then fifty more, by when it knows of the first.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from benchmarks.overshoot import BUDGET, CALLS, CHAT, PATH, TOKENS
from tests.support.upstream import Upstream, upstream

PYTHON = "HANDRAIL_LITELLM"
CONFIG = """
model_list:
  - model_name: mock
    litellm_params:
      model: openai/mock
      api_base: {url}/v1
      api_key: none
      input_cost_per_token: 0
      output_cost_per_token: 0.001
litellm_settings: {{max_budget: {budget}, budget_duration: 1d, num_retries: 0}}
general_settings: {{master_key: {key}}}
"""


def main() -> int:
    """Ask, and print what the upstream billed."""
    python = os.environ.get(PYTHON)
    if python is None:
        print(f"set {PYTHON} to the Python of a venv with litellm[proxy]", file=sys.stderr)
        return 2
    key = f"sk-{secrets.token_hex(16)}"
    with upstream() as up, _proxy(python, up, key) as url:
        up.behaves(writes=TOKENS)
        for wave in ("first", "second"):
            answers = asyncio.run(_asked(url, key))
            print(f"{wave} {CALLS} calls: {dict(answers)}, billed ${up.billed / TOKENS:.0f} of ${BUDGET}")
    return 0


@contextmanager
def _proxy(python: str, up: Upstream, key: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(CONFIG.format(url=up.url, budget=BUDGET, key=key), "utf-8")
        command = [python, "-m", "litellm.proxy.proxy_cli", "--config", str(config)]
        where = ["--host", "127.0.0.1", "--port", str(port)]
        with (
            (Path(folder) / "log").open("w") as log,
            subprocess.Popen([*command, *where], stdout=log, stderr=log) as process,
        ):
            try:
                while process.poll() is None and not _answers(url):
                    time.sleep(1)
                if process.poll() is not None:
                    raise SystemExit((Path(folder) / "log").read_text("utf-8")[-2_000:])
                yield url
            finally:
                process.terminate()


def _answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{url}/health/liveliness", timeout=5).status_code == httpx.codes.OK
    return False


async def _asked(url: str, key: str) -> Counter[int]:
    headers = {"authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(headers=headers, timeout=300, limits=limits) as client:
        asking = [client.post(f"{url}/v1/{PATH}", json=CHAT) for _ in range(CALLS)]
        return Counter(answer.status_code for answer in await asyncio.gather(*asking))


if __name__ == "__main__":
    sys.exit(main())
