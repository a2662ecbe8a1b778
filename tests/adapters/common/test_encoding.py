"""A packed answer that was cut is noticed wherever it was cut."""

import gzip
import zlib

import pytest
import responses

from adapters.common.encoding import CutError, unpacked
from adapters.common.http import Http, RetryPolicy
from connector.errors import Retry

BODY = b"Id,Amount\n" + b"".join(b"%06d,%d.10\n" % (n, n) for n in range(2_000))
PACKED = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:100]) + gzip.compress(BODY[100:]) + b"\0\0",
    "deflate": zlib.compress(BODY),
    "identity": BODY,
    "": BODY,
    "deflate, gzip": gzip.compress(zlib.compress(BODY)),
}


@pytest.mark.parametrize("encoding", PACKED)
def test_what_is_whole_comes_out_as_it_was(encoding: str) -> None:
    assert unpacked(PACKED[encoding], encoding) == BODY


def test_deflate_without_its_header_is_read() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    assert unpacked(packer.compress(BODY) + packer.flush(), "deflate") == BODY


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "deflate, gzip", "br"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_cut_is_noticed(encoding: str, share: float) -> None:
    packed = PACKED.get(encoding, BODY)

    with pytest.raises(CutError):
        unpacked(packed[: int(len(packed) * share)], encoding)


@responses.activate
def test_an_answer_that_was_cut_within_its_packing_is_asked_for_again() -> None:
    packed = PACKED["gzip"]
    headers = {"Content-Encoding": "gzip"}
    for body in (packed[: len(packed) // 2], packed):
        responses.get("https://crm.example.com/x", body=body, headers=headers, auto_calculate_content_length=True)
    http = Http({"https://crm.example.com"}, lambda _: None, patience=RetryPolicy(sleep=lambda _: None))

    assert http.call("GET", "https://crm.example.com/x").body == BODY
    assert len(responses.calls) == 2


@responses.activate
def test_a_cut_that_stays_is_a_lost_answer() -> None:
    responses.get("https://crm.example.com/x", body=PACKED["gzip"][:-4], headers={"Content-Encoding": "gzip"})
    http = Http({"https://crm.example.com"}, lambda _: None, patience=RetryPolicy(sleep=lambda _: None))

    with pytest.raises(Retry, match="lost on the way"):
        http.call("GET", "https://crm.example.com/x")
