"""The demo's board: the real server over the demo's folder, in a process that never outlives the demo's.

``python -m handrail.demo.board DIR``: tells its address on a line of JSON, and serves until it is told to
stop, or until whoever started it is gone. Its environment names the upstreams of its gateway for models.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from handrail.app import open_app
from handrail.cli import models
from handrail.demo import entrance
from handrail.demo.company import NAME
from handrail.demo.folder import Folder
from handrail.server.app import make_app
from handrail.server.serve import bound, serve
from handrail.server.settings import settings_of

HOST = "127.0.0.1"
GRACE = 5.0
"""Seconds that requests get to end: nobody's money hangs on them."""
LONGEST_END = 30.0
"""Seconds after which it ends by force."""
BANNER = (
    f"This is the support desk of {NAME}, a shop that does not exist: two agents answer its mail, and what "
    "they may not do alone they ask you and your colleagues. Open a question, change the amount before you "
    "let it run, or say no, and see at once what comes of it; then press Stop, see that nothing starts any "
    "more, and let it go on under Stops. What the agents ask models, and what that costs, stands under "
    "Models and Budgets; the one that is called stand-in is no real model, and nothing is spent for it."
)


def main() -> None:
    """Serve the folder that was named, on a free port of this machine."""
    folder = Folder(Path(sys.argv[1]))
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    app = open_app(folder.policy, database=folder.store_url, databases={"shop": folder.shop_url})
    try:
        with bound(HOST, 0) as listening:
            port = listening.getsockname()[1]
            settings = settings_of(host=HOST, port=port, banner=BANNER, queue="loop", grace=GRACE)
            made = make_app(app, settings)
            made.include_router(entrance.router)
            outer = models.around(made, app.engine)
            serve(made, settings, listening, lambda: print(json.dumps(settings.address()), flush=True), outer)
    finally:
        app.close()


def _end_with_parent() -> None:
    """Stop when the other end of our standard input is closed: it is, however that process ended.

    Nobody is left who would end by force what does not end by itself, so it is done here.
    """
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LONGEST_END)
    os._exit(1)


if __name__ == "__main__":
    main()
