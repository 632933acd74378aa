"""Who may use the page, and what a hostile request gets."""

import http.client
import re
import stat
import sys
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from fake_run import TINY, make_bare_run
from page_server import TOKEN, served
from starlette.routing import Mount, Route
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rig.errors import ConfigError, RunError
from rig.serve.access import new_token
from rig.serve.hub import MAX_CLIENTS, TRY_AGAIN_LATER
from rig.serve.run_index import id_of
from rig.serve.server import ServeOptions, check


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    make_bare_run(root / "one")
    return root


@pytest.fixture(scope="module")
def server(runs):
    with served(runs) as found:
        yield found


@pytest.fixture(scope="module")
def run_id(server):
    return server.get("/api/runs")["runs"][0]["id"]


def all_addresses(server):
    """Every method and path that the server knows, with parameters filled in."""
    for route in server.app._app.routes:
        if isinstance(route, Mount):
            yield "GET", f"{route.path}/js/main.js"
        elif isinstance(route, Route):
            path = re.sub(r"\{\w+\}", "x", route.path)
            yield from ((method, path) for method in sorted(route.methods))


def test_every_address_needs_the_token(server):
    addresses = list(all_addresses(server))
    assert len(addresses) > 30
    for method, path in addresses:
        for token in ("", "wrong", TOKEN + "x"):
            assert server.request(method, path, token=token)[0] == 401, (method, path)


def test_socket_needs_the_token(server):
    for token in ("", "wrong"):
        with pytest.raises(InvalidStatus), server.socket(token=token):
            pass
    with server.socket() as tab:
        assert tab.id


def test_token_in_the_address_becomes_a_cookie_that_no_script_reads(server):
    status, headers, _ = server.request("GET", f"/?token={TOKEN}", token="")
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    kept = cookie.split(";")[0]
    assert kept.startswith(f"rig_{server.port}=")
    assert server.request("GET", "/", token="", headers=[("Cookie", kept)])[0] == 200
    assert server.request("GET", "/?token=wrong", token="")[0] == 401


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", [("Host", "evil.example")], 400),
        ("GET", [("Host", "127.0.0.1.evil.example:80")], 400),
        ("GET", [("Host", "127.0.0.1"), ("Host", "evil.example")], 400),
        ("GET", [("Sec-Fetch-Site", "cross-site")], 403),
        ("POST", [("Origin", "http://evil.example")], 403),
        ("POST", [("Origin", "null")], 403),
        ("POST", [("Origin", "http://127.0.0.1:1")], 403),
        ("POST", [("Origin", "http://evil.example"), ("Origin", "http://evil.example")], 400),
        ("POST", [("Sec-Fetch-Site", "cross-site")], 403),
        ("POST", [("Sec-Fetch-Site", "same-site")], 403),
    ],
)
def test_other_sites_and_other_names_are_refused(server, method, headers, status):
    path = "/api/runs" if method == "GET" else "/api/robot/stop"
    assert server.request(method, path, headers=headers)[0] == status


def test_the_pages_own_requests_are_let_through(server):
    own = [("Origin", server.url), ("Host", f"127.0.0.1:{server.port}")]
    headers = [*own, ("Sec-Fetch-Site", "same-origin")]
    assert server.request("POST", "/api/robot/stop", b"", headers=headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_sockets_of_other_sites_are_refused(server, headers):
    with pytest.raises(InvalidStatus), server.socket(headers=headers):
        pass


@pytest.mark.parametrize("name", ["Origin", "Host"])
def test_a_socket_whose_header_comes_twice_is_refused(server, name):
    own = {"Origin": server.url, "Host": f"127.0.0.1:{server.port}"}
    asks = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
    ]
    key = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    for values in ((own[name], own[name]), (own[name], "http://evil.example")):
        headers = [*asks, key, *((name, value) for value in values)]
        assert server.request("GET", "/api/live", headers=headers)[0] in (400, 403)


def test_the_seventeenth_socket_is_sent_away(server):
    with ExitStack() as stack:
        for _ in range(MAX_CLIENTS):
            stack.enter_context(server.socket(has_beat=False))
        with pytest.raises(ConnectionClosed) as closed, server.socket(has_beat=False):
            pass
        assert closed.value.rcvd.code == TRY_AGAIN_LATER


def test_every_answer_has_the_headers_that_hold_scripts_back(server):
    for path in ("/", "/api/runs", "/nowhere", "/static/js/main.js"):
        _, headers, _ = server.request("GET", path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_a_body_that_says_it_is_too_long_is_not_read(server, run_id):
    length = [("Content-Length", str(17 << 20))]
    status, _, _ = server.request("POST", f"/api/runs/{run_id}/goals", headers=length)
    assert status == 413


def test_a_body_without_a_length_is_counted(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("POST", "/api/robot")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Authorization", f"Bearer {TOKEN}")
    connection.endheaders()
    for _ in range(3):
        connection.send(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/..",
        "/api/runs/%2e%2e",
        "/api/runs/%2e%2e%2fetc",
        "/api/runs/{}/images/..%2fconfig.json",
        "/api/runs/{}/images/config.json",
        "/api/runs/{}/images/%2fetc%2fpasswd",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/api/goals/../../image.png",
    ],
)
def test_no_path_leads_out(server, run_id, path):
    assert server.request("GET", path.format(run_id))[0] == 404


def test_links_out_of_a_run_are_not_followed(runs, server, run_id, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes((runs / "one" / "images" / "reached.png").read_bytes())
    link = runs / "one" / "images" / "worst-0000001.png"
    link.symlink_to(secret)
    assert server.request("GET", f"/api/runs/{run_id}/images/{link.name}")[0] == 404
    assert server.request("GET", f"/api/runs/{run_id}/images/reached.png")[0] == 200


def test_a_run_behind_a_link_out_of_the_directory_is_not_listed(tmp_path):
    outside = make_bare_run(tmp_path / "outside" / "run").directory
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(outside)
    with served(tmp_path / "runs") as server:
        assert server.get("/api/runs")["runs"] == []
        assert server.request("GET", f"/api/runs/{id_of(outside)}")[0] == 404


@pytest.mark.parametrize(
    ("message", "code"),
    [("x" * 65_537, 1009), ("no json", 1008), ("[]", 1008), ('{"type":"dance"}', 1008)],
)
def test_messages_that_mean_nothing_close_the_socket(server, message, code):
    with server.socket() as tab:
        tab.socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            tab.take("never")
        assert closed.value.rcvd.code == code


def test_a_flood_of_messages_closes_the_socket(server):
    with server.socket() as tab:
        with suppress(ConnectionClosed):
            for _ in range(200):
                tab.send("beat")
        with pytest.raises(ConnectionClosed) as closed:
            tab.take("never")
        assert closed.value.rcvd.code == 1008


def test_a_strangers_run_imports_no_code(tmp_path, monkeypatch):
    code = tmp_path / "code"
    code.mkdir()
    (code / "stranger.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(str(code))
    make_bare_run(tmp_path / "runs" / "theirs", replace(TINY, task="stranger:Evil-v0"))
    with served(tmp_path / "runs") as server:
        (row,) = server.get("/api/runs")["runs"]
        assert not row["can_reach"]
        assert "--allow-env" in row["why_not"]
        for path in ("", "/metrics", "/round", "/attempts"):
            server.get(f"/api/runs/{row['id']}{path}")
        assert (
            server.post("/api/robot", {"run": row["id"]}, status=409)["code"] == "cannot_reach"
        )
    assert not (tmp_path / "imported").exists()
    assert "stranger" not in sys.modules


def test_a_read_only_server_moves_nothing(runs):
    with served(runs, is_read_only=True) as server:
        (row,) = server.get("/api/runs")["runs"]
        assert not row["can_reach"]
        server.post("/api/robot", {"run": row["id"]}, status=409)


def test_the_network_needs_the_token(tmp_path):
    check(ServeOptions(roots=[tmp_path], host="0.0.0.0"))
    with pytest.raises(ConfigError, match="leave out --no-token"):
        check(ServeOptions(roots=[tmp_path], host="0.0.0.0", has_token=False))
    with pytest.raises(RunError, match="is not a directory"):
        check(ServeOptions(roots=[tmp_path / "nowhere"]))


def test_token_file_is_for_this_account_only(tmp_path):
    path = tmp_path / "state" / "token"
    assert len(new_token(path)) > 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert new_token(path) == path.read_text()
