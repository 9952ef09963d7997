#!/usr/bin/python3
"""What stands before a registry in the tests of oci-registry: a proxy with faults, and a token server.

    registry_proxy.py UPSTREAM RULES LOG READY HOST:PORT[:CERT:KEY]...

UPSTREAM is the address of a plain registry, or "-".  RULES is a JSON list that is read anew for each request;
the first rule that matches is applied:

    port, method, path (a regular expression), if_auth (one for Authorization)   when
    times                 only so often (counted by the rule's text)
    status, headers, body, body_file   an answer in place of the registry's
    set_headers           instead of those of the registry's answer
    redirect              a URL, with the path behind it when it ends in "/"
    cut                   so many bytes of the body, then the connection is closed
    no_range              the registry does not hear of Range
    log_body              a request's body goes to the log
    max_body              only for requests whose body is larger

and besides "bearer": {"realm", "service", "uses", "scope"} for a port that wants tokens.  GET and POST of
/token are answered by a token server; "token": {"users": {"u": "p"}, "refresh": {"t": "u"}, "field", "expires",
"body", "status"}.  LOG has a line for each request: PORT METHOD PATH STATUS AUTHORIZATION RANGE.
"""
import base64
import http.client
import http.server
import json
import os
import re
import socket
import ssl
import sys
import threading
import urllib.parse

UPSTREAM, RULES, LOG, READY = sys.argv[1:5]
lock = threading.Lock()
counts = {}
tokens = {}  # token -> uses that are left


def rules():
    with open(RULES, encoding="utf-8") as f:
        st = os.fstat(f.fileno())
        read = json.load(f)
    # "times" counts anew when the same words are written again.
    for r in read:
        r["written"] = [st.st_ino, st.st_mtime_ns]
    return read


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    @property
    def port(self):
        return self.server.server_address[1]

    def note(self, status, more=""):
        auth = self.headers.get("Authorization", "-").replace(" ", "=")
        with lock, open(LOG, "a", encoding="utf-8") as f:
            f.write("%d %s %s %s %s %s%s\n" % (self.port, self.command, self.path, status, auth,
                                              self.headers.get("Range", "-"), more))

    def body(self):
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            data = b""
            while True:
                n = int(self.rfile.readline().split(b";")[0], 16)
                data += self.rfile.read(n)
                self.rfile.readline()
                if n == 0:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def give(self, status, headers, data, cut=None, raw=None):
        self.send_response(status)
        named = {k.lower() for k, _ in headers}
        for k, v in headers:
            self.send_header(k, v)
        if "content-length" not in named:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut is not None:
            self.wfile.write(data[:cut])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(data)

    def rule(self, all_rules):
        for r in all_rules:
            if "path" not in r:
                continue
            if r.get("port", self.port) != self.port or not re.fullmatch(r.get("method", ".*"), self.command):
                continue
            if not re.search(r["path"], self.path):
                continue
            if "if_auth" in r and not re.search(r["if_auth"], self.headers.get("Authorization", "")):
                continue
            if "max_body" in r and int(self.headers.get("Content-Length", "0")) <= r["max_body"]:
                continue
            key = json.dumps(r, sort_keys=True)
            with lock:
                if "times" in r and counts.get(key, 0) >= r["times"]:
                    continue
                counts[key] = counts.get(key, 0) + 1
            return r
        return {}

    def wants_token(self, all_rules):
        for r in all_rules:
            b = r.get("bearer")
            if not b or r.get("port", self.port) != self.port or self.path.startswith("/token"):
                continue
            have = self.headers.get("Authorization", "")
            with lock:
                if have.startswith("Bearer ") and tokens.get(have[7:], 0) > 0:
                    tokens[have[7:]] -= 1
                    continue
            challenge = 'Bearer realm="%s",service="%s"' % (b["realm"], b.get("service", "test"))
            if "scope" in b:
                challenge += ',scope="%s"' % b["scope"]
            if "challenge" in b:
                challenge = b["challenge"]
            data = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
            self.note(401)
            self.give(401, [("WWW-Authenticate", challenge)], data)
            return True
        return False

    def token(self, all_rules, data):
        conf = next((r["token"] for r in all_rules if "token" in r), {})
        uses = next((r["bearer"].get("uses", 1000000) for r in all_rules if "bearer" in r), 1000000)
        auth = self.headers.get("Authorization", "")
        users = conf.get("users")
        ok = users is None
        if auth.startswith("Basic "):
            user, _, password = base64.b64decode(auth[6:]).decode().partition(":")
            ok = users is not None and users.get(user) == password
        if self.command == "POST":
            form = urllib.parse.parse_qs(data.decode())
            ok = form.get("refresh_token", [""])[0] in conf.get("refresh", {})
            self.note("token", " form=%s" % ",".join(sorted(form)))
        if "status" in conf:
            return self.give(conf["status"], [], conf.get("body", "").encode())
        if not ok:
            self.note(401)
            return self.give(401, [], b'{"details":"incorrect username or password"}')
        with lock:
            name = "t%d" % (len(tokens) + 1)
            tokens[name] = uses
        self.note(200)
        body = conf.get("body") or json.dumps({conf.get("field", "token"): name, "expires_in": conf.get("expires", 300)})
        return self.give(200, [("Content-Type", "application/json")], body.encode())

    def forward(self, rule, data):
        up = http.client.HTTPConnection(UPSTREAM, timeout=60)
        headers = {k: v for k, v in self.headers.items()
                   if k.lower() not in ("host", "authorization", "connection", "transfer-encoding")}
        headers["Host"] = self.headers.get("Host", "")
        if rule.get("no_range"):
            headers.pop("Range", None)
        up.request(self.command, self.path, body=data or None, headers=headers)
        answer = up.getresponse()
        body = answer.read()
        out = [(k, v) for k, v in answer.getheaders()
               if k.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server")
               and k.lower() not in {x.lower() for x in rule.get("set_headers", {})}]
        out += list(rule.get("set_headers", {}).items())
        if self.command == "HEAD":
            out += [("Content-Length", answer.getheader("Content-Length", "0"))]
        self.note(answer.status)
        self.give(answer.status, out, body, rule.get("cut"))

    def answer(self):
        data = self.body()
        all_rules = rules()
        if self.path.startswith("/token") and not any("path" in r and re.search(r["path"], self.path) for r in all_rules):
            return self.token(all_rules, data)
        if self.wants_token(all_rules):
            return None
        rule = self.rule(all_rules)
        if rule.get("log_body"):
            self.note("body", " " + data.decode())
        if "redirect" in rule:
            to = rule["redirect"] + (self.path[1:] if rule["redirect"].endswith("/") else "")
            self.note(307)
            return self.give(307, [("Location", to)], b"")
        if "status" in rule:
            data = rule.get("body", "").encode()
            if "body_file" in rule:
                with open(rule["body_file"], "rb") as f:
                    data = f.read()
            self.note(rule["status"])
            return self.give(rule["status"], list(rule.get("headers", {}).items()), data, rule.get("cut"))
        return self.forward(rule, data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    servers = []
    for place in sys.argv[5:]:
        host, port, *tls = place.split(":")
        s = Server((host, int(port)), Handler)
        if tls:
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            c.load_cert_chain(tls[0], tls[1])
            if len(tls) > 2:
                c.verify_mode = ssl.CERT_REQUIRED
                c.load_verify_locations(tls[2])
            s.socket = c.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)
        servers.append(s)
    for s in servers[1:]:
        threading.Thread(target=s.serve_forever, daemon=True).start()
    with open(READY + ".tmp", "w", encoding="utf-8") as f:
        f.write("ready\n")
    os.rename(READY + ".tmp", READY)
    servers[0].serve_forever()


main()
