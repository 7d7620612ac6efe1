"""Caption files as people really have them."""

from pathlib import Path

import pytest
from django.utils.timezone import now

from media.domain.captions import CaptionsRejected, remove_caption, set_caption
from media.domain.queries import sources
from media.ffmpeg.captions import to_webvtt
from media.models import Caption, StoredTree
from tests.factories.media import VideoFactory
from tests.media.tools import files_of

SRT = (
    "1\r\n00:00:01,000 --> 00:00:03,500\r\nL'étude a été menée à Genève.\r\n\r\n"
    "2\r\n00:00:04,000 --> 00:00:05,000\r\nMerci.\r\n"
)
EXPECTED = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:03.500\nL'étude a été menée à Genève.\n\n00:00:04.000 --> 00:00:05.000\nMerci.\n"
)
VTT = (
    "WEBVTT - made by hand\n\nNOTE not shown\n\nintro\n00:01.000 --> 00:02.000 align:start\n"
    "<v Dr Nair>AMH &lt; 1.1 &amp; <b>FSH</b>\nsecond line\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_every_common_encoding_gives_the_same_text(encoding: str) -> None:
    assert to_webvtt(SRT.encode(encoding)) == (EXPECTED, 2)


def test_webvtt_keeps_its_words_and_loses_its_settings() -> None:
    text, cues = to_webvtt(VTT.encode())
    assert cues == 1
    assert text == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nAMH &lt; 1.1 &amp; FSH\nsecond line\n"


@pytest.mark.parametrize("text", ["العربية نص", "Пациентка 34 лет", "患者は34歳です"])
def test_any_script_in_utf8(text: str) -> None:
    assert text in to_webvtt(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n".encode())[0]


def test_sec_22_markup_in_captions_is_only_text() -> None:
    evil = "1\n00:00:01,000 --> 00:00:02,000\n<img src=x onerror=alert(1)> a --> b\n\n"
    text, _ = to_webvtt(evil.encode())
    assert "<img" not in text
    assert text.count("-->") == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"WEBVTT\n",
        b"no captions at all",
        b"\x00\x01\x02\x03",
        b"%PDF-1.7 \x93\x8c\x8b",
        "Пациентка, 34 лет, без жалоб".encode("cp1251"),
        b"1\n00:00:05,000 --> 00:00:02,000\nbackwards\n",
        b"x" * (5 * 1024 * 1024 + 1),
    ],
    ids=["empty", "header only", "prose", "binary", "pdf", "cyrillic code page", "backwards", "huge"],
)
def test_what_is_no_caption_file_is_refused_in_plain_words(data: bytes) -> None:
    with pytest.raises(CaptionsRejected) as refused:
        to_webvtt(data)
    assert str(refused.value).endswith(".")


def test_captions_are_stored_replaced_and_removed(db: None, media_root: Path) -> None:
    video = VideoFactory.create()
    first = set_caption(video=video, language="fr", label="Français", data=SRT.encode("utf-16"), now=now())
    set_caption(video=video, language="en", label="English", data=VTT.encode(), now=now())
    second = set_caption(video=video, language="fr", label="Français", data=SRT.encode(), now=now())
    assert first.path != second.path, "a player must not keep the old file"
    assert [(c.language, c.cues) for c in Caption.objects.filter(video=video)] == [("en", 1), ("fr", 2)]
    found = {c.language: c.url for c in sources(video).captions}
    assert found["fr"] == f"/media/videos/{video.key}/{second.path}"
    assert (media_root / "videos" / str(video.key) / second.path).read_text() == EXPECTED
    remove_caption(caption=second, now=now())
    assert [c.language for c in sources(video).captions] == ["en"]
    due = StoredTree.objects.exclude(remove_after=None).values_list("prefix", flat=True)
    assert set(due) == {f"videos/{video.key}/{first.path}", f"videos/{video.key}/{second.path}"}


def test_a_refused_file_leaves_nothing(db: None, media_root: Path) -> None:
    video = VideoFactory.create()
    with pytest.raises(CaptionsRejected):
        set_caption(video=video, language="fr", label="Français", data=b"nothing", now=now())
    assert not Caption.objects.exists()
    assert not StoredTree.objects.exists()
    assert files_of(media_root) == set()
