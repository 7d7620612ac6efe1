"""The camera of `tests.recording.camera` before a browser: every frame carries its number, and a script reads it."""

from tests.recording.camera import BITS, RATE

_CELL = 4  # pixels a block in the canvas; read in the middle, so scaling and compression do not matter
# A function of a video element, to be used in other scripts.
NUMBER = f"""((video) => {{
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [{BITS * _CELL}, {9 * _CELL}];
    const brush = canvas.getContext("2d");
    brush.drawImage(video, 0, 0, canvas.width, canvas.height);
    const row = brush.getImageData(0, canvas.height / 2, canvas.width, 1).data;
    let number = 0;
    for (let bit = 0; bit < {BITS}; bit += 1) if (row[(bit * {_CELL} + {_CELL // 2}) * 4] > 125) number += 2 ** bit;
    return number;
}})"""


def numbered_picture(first: int) -> str:
    """A picture for ffmpeg's lavfi, with the numbers from `first` on."""
    blocks = f"geq=lum='if(mod(floor((N+{first})/pow(2\\,X))\\,2)\\,215\\,35)':cb=128:cr=128"
    return f"color=black:s={BITS}x9:r={RATE},{blocks},scale=640:360:flags=neighbor"
