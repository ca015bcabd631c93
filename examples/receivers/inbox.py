"""What the Python receivers share: an HTTP server, and the two rules for applying events.

An event whose id has been seen is a repetition. An event whose ``sequence`` is lower than one already
applied for its organization tells of a state that is past. A real inbox keeps both in its database.
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Inbox:
    def __init__(self):
        self._seen = set()
        self._applied = {}

    def take(self, event):
        if event["id"] in self._seen:
            return
        self._seen.add(event["id"])
        whose = event["organization_id"] or event["project_id"]
        if event["sequence"] < self._applied.get(whose, 0):
            print(f"late     {event['event']} number {event['sequence']} of {whose}", flush=True)
            return
        self._applied[whose] = event["sequence"]
        print(f"applied  {event['event']} number {event['sequence']} of {whose}", flush=True)


def serve(check):
    """Answer on ``$PORT``. *check* takes body, headers and secret; it returns the event, or ValueError."""
    secret, inbox = os.environ["WEBHOOK_SECRET"], Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                event = check(body, dict(self.headers.items()), secret)
            except ValueError as problem:
                print(f"refused  {problem}", flush=True)
                self.send_error(400)
                return
            inbox.take(event)
            self.send_response(204)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Handler)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()
