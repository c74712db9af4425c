# ClickHouse's engine behind its HTTP protocol, as far as inserts and queries go: for tests.
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session

session = Session()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        query = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
        try:
            answer = session.query(f"{query}\n{body}" if body else query, "JSONEachRow").bytes()
            status = 200
        except Exception as thrown:
            answer, status = str(thrown).encode(), 400
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
