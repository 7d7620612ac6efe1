"""The poster and the previews under the seek bar, from finished renditions: cheap to decode, already upright."""

from pathlib import Path

from media.ffmpeg.binary import OWN_PLAYLIST
from media.ffmpeg.encode import PLAYLIST, Encoder
from media.ffmpeg.ladder import KEYFRAME_SECONDS, Rung

POSTER_NAME = "poster.jpg"
SPRITE_VTT_NAME = "sprite.vtt"
COLUMNS, ROWS = 10, 10
THUMBNAIL_SIDE = 160
MOST_THUMBNAILS = 720


def make_poster(encoder: Encoder, *, rung: Rung, duration_seconds: float, folder: Path) -> None:
    """The most typical of ten keyframes from a tenth of the way in: lectures open with black or a title."""
    start = min(duration_seconds / 10, 30.0)
    encoder.run(
        [
            *(*OWN_PLAYLIST, "-skip_frame", "nokey", "-ss", f"{start:.3f}", "-i", folder / rung.name / PLAYLIST),
            *("-map", "0:v", "-vf", "thumbnail=10", "-frames:v", "1", "-q:v", "4", folder / POSTER_NAME),
        ]
    )


def make_sprite(encoder: Encoder, *, rung: Rung, duration_seconds: float, folder: Path) -> None:
    """Sheets of 100 thumbnails and the WebVTT that says which is when."""
    interval = sprite_interval(duration_seconds)
    width, height = thumbnail_size(rung)
    pick = f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{interval}-0.01)'"
    encoder.run(
        [
            *(*OWN_PLAYLIST, "-skip_frame", "nokey", "-i", folder / rung.name / PLAYLIST, "-map", "0:v"),
            *("-vf", f"{pick},scale={width}:{height},tile={COLUMNS}x{ROWS}", "-fps_mode", "passthrough"),
            *("-q:v", "5", "-start_number", "1", folder / "sprite-%03d.jpg"),
        ]
    )
    vtt = sprite_vtt(duration_seconds, interval=interval, width=width, height=height)
    (folder / SPRITE_VTT_NAME).write_text(vtt, encoding="utf-8")


def sprite_interval(duration_seconds: float) -> int:
    """Whole keyframe distances; every 2 s for a short clip, 10 s for a lecture, more only beyond two hours."""
    wanted = 2 if duration_seconds <= 120 else 10
    fewest = duration_seconds / MOST_THUMBNAILS
    return max(wanted, KEYFRAME_SECONDS * -int(-fewest // KEYFRAME_SECONDS))


def thumbnail_size(rung: Rung) -> tuple[int, int]:
    scale = THUMBNAIL_SIDE / max(rung.width, rung.height)
    return max(2, round(rung.width * scale)), max(2, round(rung.height * scale))


def sprite_vtt(duration_seconds: float, *, interval: int, width: int, height: int) -> str:
    cues = ["WEBVTT"]
    count = max(1, -int(-duration_seconds // interval))
    for index in range(count):
        sheet, place = divmod(index, COLUMNS * ROWS)
        row, column = divmod(place, COLUMNS)
        start, end = index * interval, min((index + 1) * interval, duration_seconds)
        area = f"{column * width},{row * height},{width},{height}"
        cues.append(f"{clock(start)} --> {clock(end)}\nsprite-{sheet + 1:03d}.jpg#xywh={area}")
    return "\n\n".join(cues) + "\n"


def clock(seconds: float) -> str:
    """WebVTT's `hh:mm:ss.ttt`."""
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
