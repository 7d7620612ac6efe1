// Little pictures over the seek bar, cut out of sheets that a WebVTT file describes: "sheet.jpg#xywh=0,0,160,90".

const CUE = /(?:(\d+):)?(\d+):(\d+\.\d+)\s+-->[^\n]*\n([^\n#]+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;

export function parseSprite(text, base) {
  const cues = [];
  const plain = text.replace(/\r\n?/g, "\n");
  for (let match = CUE.exec(plain); match; match = CUE.exec(plain)) {
    const [, hours, minutes, rest, name, x, y, width, height] = match;
    cues.push({
      start: Number(hours || 0) * 3600 + Number(minutes) * 60 + Number(rest),
      url: new URL(name.trim(), base).href,
      x: Number(x), y: Number(y), width: Number(width), height: Number(height),
    });
  }
  return cues;
}

export class Sprite {
  /** Fetched at the first preview, not before: most people on a phone never hover. */
  constructor(url) {
    this.url = url;
    this.cues = null;
  }

  load() {
    if (this.loading) return;
    this.loading = fetch(this.url, { credentials: "include" })
      .then((response) => (response.ok ? response.text() : Promise.reject(new Error(String(response.status)))))
      .then((text) => {
        this.cues = parseSprite(text, new URL(this.url, location.href));
        if (this.asked) this.show(...this.asked);
      })
      .catch((error) => {
        console.info("No preview pictures:", error.message);
        this.loading = null;
      });
  }

  show(picture, at) {
    this.asked = [picture, at];
    this.load();
    const cue = this.cues && this.cues.filter(({ start }) => start <= at).pop();
    picture.hidden = !cue;
    if (!cue) return;
    const set = (name, value) => picture.style.setProperty(name, value);
    set("width", `${cue.width}px`);
    set("height", `${cue.height}px`);
    set("background-image", `url("${cue.url}")`);
    set("background-position", `-${cue.x}px -${cue.y}px`);
  }
}
