"""What an answer was packed in. A stream that ends before its own end mark was cut on the way, whatever it seems."""

from __future__ import annotations

import zlib

_MAGIC = b"\x1f\x8b"
#: What we say that we take.
ACCEPTED = "gzip, deflate"


class CutError(Exception):
    """The stream ends before its end mark, or is none of that kind."""


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its content encodings, as `Content-Encoding` lists them. Raises CutError."""
    for each in reversed([name.strip().lower() for name in encoding.split(",") if name.strip()]):
        match each:
            case "identity" | "none" | "utf-8" | "utf8":
                # The latter are no encodings, and are sent in their place.
                continue
            case "gzip" | "x-gzip":
                body = _members(body)
            case "deflate":
                body = _deflated(body)
            case _:
                raise CutError
    return body


def _members(body: bytes) -> bytes:
    """All members of a gzip stream. Source: RFC 1952."""
    parts: list[bytes] = []
    # What stands behind the last member and is none is filling.
    while body and (not parts or body.startswith(_MAGIC)):
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        parts.append(_whole(member, body))
        body = member.unused_data
    return b"".join(parts)


def _deflated(body: bytes) -> bytes:
    """With or without a zlib header: servers do both. Source: RFC 9110, 8.4.1.2."""
    if not body:
        return body
    try:
        return _whole(zlib.decompressobj(), body)
    except CutError:
        return _whole(zlib.decompressobj(-zlib.MAX_WBITS), body)


def _whole(stream: zlib._Decompress, body: bytes) -> bytes:
    try:
        result = stream.decompress(body)
    except zlib.error:
        raise CutError from None
    if not stream.eof:
        raise CutError
    return result
