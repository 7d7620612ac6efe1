"""Pages of numbers as the browser tests see them: at three widths, in light and dark, with few colours.

`script/pictures <folder>` takes what `LOOK=<folder> script/test <TESTS>` has left there instead of running these tests.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images" / "numbers"
TESTS = ("tests/e2e/test_reports.py", "tests/e2e/test_shared_pages.py", "tests/e2e/test_quality_page.py")
# The name that the tests give a page, and the one it has in the docs.
PAGES = {
    "progress-compared": "progress",
    "numbers-lectures": "lectures",
    "numbers-lecture": "lecture",
    "operating-report": "programme",
    "operating-risks": "at-risk",
    "numbers-quality": "quality",
    "numbers-shared": "shared",
}
COLOURS = 256
WIDEST = 960


def main() -> None:
    if len(sys.argv) > 1:
        keep(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"LOOK": folder}
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-n0", *TESTS], cwd=ROOT, env=environment, check=True)
        keep(Path(folder))


def keep(folder: Path) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for taken, name in PAGES.items():
        found = sorted(folder.glob(f"{taken}-[0-9]*.png"))
        if not found:
            raise SystemExit(f"{folder} has no picture of {taken}")
        for path in found:
            kept = IMAGES / f"{name}{path.name.removeprefix(taken)}"
            with Image.open(path) as picture:
                small = picture.convert("RGB")
            small.thumbnail((WIDEST, small.height), Image.Resampling.LANCZOS)
            small.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(
                kept, optimize=True
            )
            print(kept.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    main()
