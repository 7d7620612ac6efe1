"""RTMP and FLV as bytes: whatever way they are cut, and whatever a stranger sends instead."""

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webinars.ingest import amf, flv
from webinars.ingest.chunks import ChunkError, ChunkReader, Kind, Message, written
from webinars.ingest.flv import AUDIO, DATA, VIDEO, FlvReader, Tag

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.dictionaries(TEXTS.filter(bool), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(VALUES, max_size=5))
def test_amf_comes_back_as_it_went(values: list[Any]) -> None:
    assert amf.decode(amf.encode(*values)) == values


@given(st.binary(max_size=200))
@example(b"\x0a\xff\xff\xff\xff" + b"\x05" * 600)
@example(b"\x03\x00\x01a" * 20)
def test_amf_of_a_stranger_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(amf.AmfError):
        assert len(amf.decode(data)) <= amf.MAX_ITEMS


def chunked(messages: list[tuple[int, int, bytes]], chunk_bytes: int) -> bytes:
    """As a publisher's program: the first of a channel whole, later ones by their difference."""
    out = bytearray(written(Kind.SET_CHUNK_SIZE, chunk_bytes.to_bytes(4), channel=2, chunk_bytes=128))
    last: dict[int, int] = {}
    for kind, time, payload in messages:
        channel = 3 + kind % 8
        step = time - last[channel] if channel in last else time
        form, extra = (1, b"") if channel in last else (0, (1).to_bytes(4, "little"))
        extended = step.to_bytes(4) if step >= 0xFFFFFF else b""
        head = min(step, 0xFFFFFF).to_bytes(3) + len(payload).to_bytes(3) + bytes([kind]) + extra
        out += bytes([form << 6 | channel]) + head + extended + payload[:chunk_bytes]
        for start in range(chunk_bytes, len(payload), chunk_bytes):
            out += bytes([0xC0 | channel]) + extended + payload[start : start + chunk_bytes]
        last[channel] = time
    return bytes(out)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([AUDIO, VIDEO, DATA, Kind.COMMAND]),
            st.integers(0, 0x1FFFFFF),
            st.binary(min_size=1, max_size=600),
        ),
        max_size=12,
    ),
    st.integers(64, 300),
    st.integers(1, 400),
)
def test_chunks_come_together_however_they_are_cut(
    messages: list[tuple[int, int, bytes]], chunk_bytes: int, step: int
) -> None:
    messages = sorted(messages, key=lambda one: one[1])
    data, reader, found = chunked(messages, chunk_bytes), ChunkReader(10_000), []
    for start in range(0, len(data), step):
        found += reader.feed(data[start : start + step])

    assert [(one.kind, one.timestamp, one.payload) for one in found] == messages


@given(st.binary(max_size=400))
def test_chunks_of_a_stranger_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ChunkError):
        assert all(len(one.payload) <= 1000 for one in ChunkReader(1000).feed(data))


def test_a_message_that_is_announced_too_long_is_refused_before_it_comes() -> None:
    head = bytes([3]) + bytes(3) + (1001).to_bytes(3) + bytes([Kind.COMMAND]) + bytes(4)
    with pytest.raises(ChunkError):
        ChunkReader(1000).feed(head + b"x")


def test_what_the_door_writes_a_reader_reads() -> None:
    payload = amf.encode("onStatus", 0, None, {"text": "x" * 300})
    (message,) = ChunkReader(10_000).feed(written(Kind.COMMAND, payload, stream_id=1, chunk_bytes=128))

    assert message == Message(Kind.COMMAND, 1, 0, payload)


@given(st.lists(st.tuples(st.integers(0, 2**31), st.binary(max_size=300)), max_size=8), st.integers(1, 200))
def test_flv_comes_back_as_it_went(tags: list[tuple[int, bytes]], step: int) -> None:
    data = flv.FILE_HEADER + b"".join(flv.written(Tag(VIDEO, 0, payload), time) for time, payload in tags)
    reader, found = FlvReader(), []
    for start in range(0, len(data), step):
        found += list(reader.feed(data[start : start + step]))

    assert [(tag.timestamp, tag.payload) for tag in found] == tags


def test_an_aggregate_is_taken_apart_on_the_messages_clock() -> None:
    inner = b"".join(flv.written(Tag(AUDIO, 0, b"\xaf\x01" + bytes([time])), 1000 + time) for time in (0, 23, 46))

    assert [tag.timestamp for tag in flv.split_aggregate(inner, 5000)] == [5000, 5023, 5046]


@pytest.mark.parametrize(
    ("kind", "payload", "codec", "is_header", "is_key"),
    [
        (VIDEO, b"\x17\x00\x00\x00\x00\x01", "avc1", True, False),
        (VIDEO, b"\x17\x01\x00\x00\x00\x01", "avc1", False, True),
        (VIDEO, b"\x27\x01\x00\x00\x00\x01", "avc1", False, False),
        (VIDEO, b"\x90hvc1\x01\x02", "hvc1", True, False),
        (VIDEO, b"\x91hvc1\x01\x02", "hvc1", False, True),
        (VIDEO, b"\x1c\x01\x00\x00\x00\x01", "hvc1", False, True),
        (VIDEO, b"\x12\x01\x00", "h263", False, True),
        (AUDIO, b"\xaf\x00\x12\x10", "mp4a", True, False),
        (AUDIO, b"\xaf\x01\x21\x00", "mp4a", False, False),
        (AUDIO, b"\x2f\xff\xfb", "mp3", False, False),
        (AUDIO, b"\x90Opus\x01", "Opus", True, False),
    ],
)
def test_a_tag_says_what_it_is(kind: int, payload: bytes, codec: str, is_header: bool, is_key: bool) -> None:
    tag = Tag(kind, 0, payload)

    assert (tag.codec, tag.is_header, tag.is_key_frame) == (codec, is_header, is_key)
