"""The QR code of a certificate, as a drawing."""

import segno

# 15 % of the code may be damaged: a scratch, a fold, a bad copier. More would make the modules smaller.
ERROR_LEVEL = "m"


def qr_svg(address: str) -> str:
    """Black on nothing, one unit a module, without the quiet zone: the page around it is white."""
    code = segno.make(address, error=ERROR_LEVEL, micro=False, boost_error=True)
    width = len(code.matrix)
    runs = [run for row, modules in enumerate(code.matrix) for run in _runs(row, modules)]
    path = "".join(f"M{start} {row}h{length}v1h-{length}z" for row, start, length in runs)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {width}"><path d="{path}"/></svg>'


def _runs(row: int, modules: bytes | bytearray | tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Neighbours as one bar: (row, first column, modules). Between single squares screens show hairs."""
    bars: list[tuple[int, int, int]] = []
    for column, dark in enumerate(modules):
        if not dark:
            continue
        if bars and bars[-1][1] + bars[-1][2] == column:
            bars[-1] = (row, bars[-1][1], bars[-1][2] + 1)
        else:
            bars.append((row, column, 1))
    return bars
