"""A clock in front of a camera: the picture says when it was filmed."""

from media.ffmpeg.binary import ffmpeg_path
from tests.recording.camera import BITS, RATE

CLOCK_ROUND = 2**BITS / RATE  # seconds after which the numbers begin again


def clock_frame(at: float) -> bytes:
    """Blocks of light and dark: the number of the frame that the clock is at."""
    number = int(at * RATE) % 2**BITS
    return bytes(215 if number >> bit & 1 else 35 for bit in range(BITS)) * 9


def publisher_command(url: str) -> list[str]:
    """As OBS would: H.264 with a key frame every two seconds, AAC. Takes the frames from its input."""
    command = [ffmpeg_path(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{BITS}x9", "-r", str(RATE)]
    command += ["-i", "-", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
    command += ["-vf", "scale=640:360:flags=neighbor,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-tune", "zerolatency", "-g", str(2 * RATE), "-c:a", "aac", "-b:a", "64k", "-f", "flv", url]
    return command
