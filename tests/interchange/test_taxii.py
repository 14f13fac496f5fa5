# SPDX-License-Identifier: Apache-2.0
"""A stock TAXII 2.1 client polls our collections over HTTP; nobody without a token, and nobody writes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from taxii2client.common import TokenAuth
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v21 import Collection, Server, as_pages

from servanda.gateway.local import LocalServer, address_of
from servanda.gateway.taxii import read_tokens, taxii_app
from servanda.interchange.errors import InterchangeError
from servanda.interchange.taxii import COLLECTIONS, MEDIA_TYPE
from servanda.operations.errors import Refusal
from servanda.operations.shelves import Shelves
from tests.rig.pen import write
from tests.rig.world import World
from tests.unit.interchange.files import INDICATOR, MALWARE, address, bundle, cert_channel, indicator, malware

TOKEN = "t0ken-of-the-cert-at-the-lake"
ACTUAL, EXERCISE = (COLLECTIONS[alias][0] for alias in ("actual", "exercise"))


class Pool:
    """A centre with its collections listening, and clients that know the token."""

    def __init__(self) -> None:
        self.world = World(cert_channel())
        self.centre = self.world.centres["birch"]
        self.shelves = Shelves(self.centre)
        self.server = LocalServer(taxii_app(self.shelves.rows, {"cert": TOKEN}, "Lake"), "127.0.0.1", 0)
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}"

    def says(self, text: str, **members: Any) -> None:
        self.world.say("ash", "indicators", {"stix": text}, subject="Political subject", **members)
        self.world.deliver("ash", "birch")

    def collection(self, identifier: str = ACTUAL) -> Collection:
        return Collection(f"{self.url}/servanda/collections/{identifier}/", user="cert", password=TOKEN)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, Any], Any]:
        given = {"authorization": f"Bearer {TOKEN}", "accept": MEDIA_TYPE} | headers
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        connection.request(method, path, headers={name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, json.loads(body) if body else None


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool()
    yield made
    made.server.stop()


def test_a_stock_client_discovers_and_reads_what_entries_carry(pool: Pool) -> None:
    text = bundle()
    pool.says(text)
    server = Server(f"{pool.url}/taxii2/", user="cert", password=TOKEN)
    assert server.title == "Lake"
    root = server.default
    assert [one.id for one in root.collections] == [ACTUAL, EXERCISE]
    collection = root.collections[0]
    assert (collection.can_read, collection.can_write) == (True, False)
    objects = collection.get_objects()["objects"]
    assert [item["id"] for item in objects[1:]] == [INDICATOR, MALWARE]
    assert "ACTUAL" in objects[0]["definition"]["statement"]
    assert [item["id"] for item in collection.get_manifest()["objects"]] == [item["id"] for item in objects]
    assert collection.get_object(INDICATOR)["objects"][0]["pattern"] == indicator()["pattern"]
    assert collection.object_versions(INDICATOR)["versions"] == [indicator()["modified"]]
    assert "Political" not in json.dumps(objects)


def test_a_stock_client_pages_through_everything_once_and_polls_only_what_is_new(pool: Pool) -> None:
    for first in range(0, 60, 20):
        pool.says(bundle(*[address(number) for number in range(first, first + 20)]))
    seen = [
        item["id"]
        for page in as_pages(pool.collection().get_objects, per_request=7)
        for item in page.get("objects", ())
    ]
    assert sorted(seen[1:]) == sorted(address(number)["id"] for number in range(60))
    assert len(seen) == len(set(seen)) == 61
    last = pool.collection().get_manifest(limit=500)["objects"][-1]["date_added"]
    assert pool.collection().get_objects(added_after=last) == {}
    pool.says(bundle(address(99), address(5)))
    assert [item["id"] for item in pool.collection().get_objects(added_after=last)["objects"]] == [address(99)["id"]]


def test_what_is_an_exercise_or_a_test_is_never_among_the_actual_and_is_marked(pool: Pool) -> None:
    pool.says(bundle(indicator()))
    pool.says(bundle(malware()), status="exercise")
    pool.says(bundle(address(1)), status="test")
    actual = pool.collection(ACTUAL).get_objects()["objects"]
    assert [item["id"] for item in actual[1:]] == [INDICATOR]
    assert not any(word in json.dumps(actual) for word in ("EXERCISE", "TEST"))
    others = pool.collection(EXERCISE).get_objects()["objects"]
    assert [item["type"] for item in others] == ["marking-definition", "malware", "marking-definition", "ipv4-addr"]
    statements = {item["id"]: item["definition"]["statement"] for item in others if "definition" in item}
    for item, word in ((others[1], "EXERCISE"), (others[3], "TEST")):
        assert any(word in statements[reference] for reference in item["object_marking_refs"])
    assert "EXERCISE" in pool.collection(EXERCISE).title


def test_versions_and_filters_are_those_of_the_standard(pool: Pool) -> None:
    pool.says(bundle(indicator()))
    pool.says(bundle(indicator(modified="2026-01-02T00:00:00.000Z", name="worse file"), malware()))
    collection = pool.collection()
    names = [item.get("name") for item in collection.get_objects(id=INDICATOR)["objects"]]
    assert names == ["worse file"]
    assert len(collection.get_objects(id=INDICATOR, version="all")["objects"]) == 2
    assert collection.get_objects(id=INDICATOR, version="first")["objects"][0]["name"] == "bad file"
    assert [item["type"] for item in collection.get_objects(type="malware")["objects"]] == ["malware"]
    assert len(collection.object_versions(INDICATOR)["versions"]) == 2
    assert collection.get_objects(spec_version="2.0") == {}


def test_what_a_correction_puts_in_its_place_is_added(pool: Pool) -> None:
    pool.says(bundle(indicator()))
    newer = bundle(indicator(modified="2026-01-02T00:00:00.000Z", name="worse file"))
    first = pool.world.centres["ash"].journal.size
    pool.world.say("ash", "correct", {"content": {"stix": newer}, "reason": "mistake"}, refers_to=[f"ash/{first}"])
    pool.world.deliver("ash", "birch")
    assert [item["name"] for item in pool.collection().get_objects(id=INDICATOR)["objects"]] == ["worse file"]


def test_a_bad_bundle_of_a_counterpart_is_left_out_and_the_others_are_not(pool: Pool) -> None:
    write(pool.world.centres["ash"], "indicators", {"stix": bundle(indicator(pattern=None))})
    pool.says(bundle(malware()))
    assert [item["id"] for item in pool.collection().get_objects()["objects"][1:]] == [MALWARE]


def test_a_restart_changes_neither_order_nor_times_and_later_entries_come_later(pool: Pool) -> None:
    pool.says(bundle(indicator()))
    before = pool.shelves.rows("actual")
    pool.world.clock.seconds -= 10_000  # the machine's clock is set back
    pool.says(bundle(malware()))
    after = pool.shelves.rows("actual")
    assert list(after[:2]) == list(before)
    assert after[2].added > before[-1].added
    assert Shelves(pool.centre).rows("actual") == after
    pool.centre.reload()
    assert pool.shelves.rows("actual") == after


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", f"Basic {TOKEN}", "Basic !!!", "Basic Y2VydDp4", f"Digest {TOKEN}", "Bearer \xff"],
)
def test_nobody_without_a_token_learns_anything(header: str, pool: Pool) -> None:
    pool.says(bundle())
    for path in ("/taxii2/", "/servanda/", f"/servanda/collections/{ACTUAL}/objects/", "/nothing"):
        status, headers, body = pool.ask(path, authorization=header)
        assert status == 401
        assert headers["www-authenticate"].startswith("Basic")
        assert body == {"title": "a token is needed", "http_status": "401"}


def test_a_token_alone_opens_it_as_well(pool: Pool) -> None:
    pool.says(bundle())
    collection = Collection(f"{pool.url}/servanda/collections/{ACTUAL}/", auth=TokenAuth(TOKEN))
    assert len(collection.get_objects()["objects"]) == 3
    status, headers, _ = pool.ask("/taxii2/", authorization=f"Bearer {TOKEN}")
    assert (status, headers["content-type"]) == (200, MEDIA_TYPE)


def test_nothing_can_be_written_or_deleted(pool: Pool) -> None:
    pool.says(bundle())
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        status, headers, _ = pool.ask(f"/servanda/collections/{ACTUAL}/objects/", method)
        assert (status, headers["allow"]) == (405, "GET, HEAD")
    with pytest.raises(TAXIIServiceException):
        pool.collection().add_objects(json.loads(bundle()))
    assert len(pool.collection().get_objects()["objects"]) == 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/servanda/status/1/", 404),
        ("/servanda/collections/none/objects/", 404),
        (f"/servanda/collections/{ACTUAL}/objects/indicator--x/", 404),
        (f"/servanda/collections/{ACTUAL}/manifest/{INDICATOR}/", 404),
        (f"/servanda/collections/{ACTUAL}/objects/?limit=0", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?limit=-1", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?limit=1&limit=2", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?next=x", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?added_after=yesterday", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?added_after=2026-02-30T00:00:00Z", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?colour=red", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?limit=%ff", 400),
        (f"/servanda/collections/{ACTUAL}/objects/?x={'a' * 9000}", 414),
        (f"/servanda/collections/{ACTUAL}/objects/?next=999999", 200),
    ],
)
def test_a_request_that_makes_no_sense_gets_an_error_of_taxii(path: str, status: int, pool: Pool) -> None:
    found, headers, body = pool.ask(path)
    assert found == status
    assert headers["content-type"] == MEDIA_TYPE
    assert status == 200 or body["http_status"] == str(status)


def test_only_the_media_type_of_taxii_is_answered(pool: Pool) -> None:
    for accept, status in (
        ("application/taxii+json", 200),
        ("*/*", 200),
        ("text/html, application/taxii+json;version=2.1;q=0.5", 200),
        ("application/json", 406),
        ("application/taxii+json;version=2.0", 406),
        ("", 406),
    ):
        assert pool.ask("/taxii2/", accept=accept)[0] == status, accept


@given(
    path=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    query=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60),
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_path_and_query_get_an_answer_of_taxii_and_no_failure(path: str, query: str, pool: Pool) -> None:
    for target in (f"/{path}?{query}", f"/servanda/collections/actual/objects/?{query}"):
        status, _, _ = pool.ask(target.replace("#", ""))
        assert status in (200, 400, 404)


def test_it_listens_on_this_machine_only() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(Refusal) as refused:
            LocalServer(taxii_app(lambda _: (), {}, ""), host, 0)
        assert refused.value.code == "not-local"
    assert address_of("[::1]:7110") == ("::1", 7110)
    for text in ("7110", ":7110", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "127.0.0.1:-1"):
        with pytest.raises(Refusal):
            address_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nobody",
        "cert",
        "cert short",
        f"cert {TOKEN} more",
        f"CERT {TOKEN}",
        f"a {TOKEN}\na {TOKEN}x",
        f" a {TOKEN}",
    ],
)
def test_a_file_of_readers_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(InterchangeError) as refused:
        read_tokens(text)
    assert refused.value.code == "tokens"
    assert TOKEN not in str(refused.value)
    assert read_tokens(f"# ours\n\ncert {TOKEN}\n") == {"cert": TOKEN}
