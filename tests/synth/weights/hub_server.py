"""A stand-in for the Hugging Face hub: an HTTP server on this machine that answers as the hub does."""

import hashlib
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(files, *, gated=(), cut=()):
    """Serves files {'owner/repo': {'folder/name': bytes}}; yields its address and what was asked for how often.

    Args:
        files: by repository and name.
        gated: repositories whose terms have to be agreed to.
        cut: names that end before their announced length.
    """
    asked = Counter()

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self._answer(with_body=False)

        def do_GET(self):
            self._answer(with_body=True)

        def _answer(self, *, with_body):
            repo, _, name = self.path.lstrip("/").partition("/resolve/main/")
            asked[self.command, name] += 1
            if repo in gated:
                return self._refuse(403, "GatedRepo")
            if repo not in files:
                return self._refuse(401, "RepoNotFound")
            if name not in files[repo]:
                return self._refuse(404, "EntryNotFound")
            data = files[repo][name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if with_body:
                self.wfile.write(data[: len(data) // 2] if name in cut else data)
                self.close_connection = name in cut
            return None

        def _refuse(self, status, code):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
