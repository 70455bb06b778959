import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def neighbour():
    """Answers once it has written to its own disk, and read that again."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with open(f"/app/{time.monotonic_ns()}", "w+b", buffering=0) as file:
                file.write(bytes(4096))
                os.fsync(file.fileno())
                file.seek(0)
                self.send_response(200 if len(file.read()) == 4096 else 507)
            self.end_headers()
        def log_message(self, *_):
            pass
    ThreadingHTTPServer(("", 5000), Handler).serve_forever()
