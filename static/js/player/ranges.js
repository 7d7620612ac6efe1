// Sets of whole seconds as sorted, disjoint, half-open ranges: the browser's twin of core/ranges.py.

export function normalise(ranges) {
  const merged = [];
  for (const [start, end] of ranges.slice().sort((left, right) => left[0] - right[0] || left[1] - right[1])) {
    if (end <= start) continue;
    const last = merged[merged.length - 1];
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/** Both ends rounded half up, each by itself, so that contiguous spans tile exactly (the server does the same). */
export function fromSpans(spans) {
  return normalise(spans.map(([start, end]) => [Math.floor(start + 0.5), Math.floor(end + 0.5)]));
}

export function union(left, right) {
  return normalise(left.concat(right));
}

export function gaps(ranges, until) {
  const missing = [];
  let at = 0;
  for (const [start, end] of normalise(ranges)) {
    if (start >= until) break;
    missing.push([at, start]);
    at = end;
  }
  missing.push([at, until]);
  return normalise(missing);
}

export function seconds(ranges) {
  return normalise(ranges).reduce((sum, [start, end]) => sum + end - start, 0);
}

// Nobody is sent back for less: a second lost at a seek is no part of a lecture (webinars/domain/resume.py).
const SMALLEST_GAP = 2;

export function unseenParts(ranges, length) {
  return gaps(ranges, length).filter(([start, end]) => end - start >= Math.min(SMALLEST_GAP, length));
}

/** Where the next part still to see begins: ahead of `from`, else the first one behind it; null when there is none. */
export function nextUnseen(ranges, length, from) {
  const starts = unseenParts(ranges, length).map(([start]) => start);
  const ahead = starts.find((start) => start > from + 1);
  if (ahead !== undefined) return ahead;
  const behind = starts.find((start) => start < from - 1);
  return behind === undefined ? null : behind;
}
