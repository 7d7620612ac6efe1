// One socket for the page: the player's carries the room as well. Also knows what time it is for the server.

const SILENT_MILLISECONDS = 45000; // the server says something every 15 s
const WATCH_MILLISECONDS = 5000;
const ENDS = { 4401: "signed_out", 4403: "not_enrolled" };

export class SharedLine {
  constructor({ socket, room, now }) {
    Object.assign(this, { socket, room });
    this.offset = Date.parse(now) - Date.now();
    this.heardAt = performance.now();
    socket.enter = () => {
      if (this.isWanted) room.opened((frame) => socket.isConnected && socket.say(frame));
      return null;
    };
    socket.addEventListener("frame", ({ detail }) => this.receive(detail));
    socket.addEventListener("lost", ({ detail: { code } }) => this.lost(code));
    socket.addEventListener("bye", ({ detail: { reason } }) => this.isWanted && room.goodbye(reason));
    room.addEventListener("state", ({ detail }) => { this.offset = Date.parse(detail.now) - Date.now(); });
    room.addEventListener("bye", () => this.stop());
    window.addEventListener("pageshow", (event) => event.persisted && this.isWanted && socket.reset());
  }

  start() {
    if (this.isWanted) return;
    this.isWanted = true;
    this.timer = setInterval(() => this.watch(), WATCH_MILLISECONDS);
    if (!("WebSocket" in window)) [1, 2].forEach(() => this.room.lost());
    else if (this.socket.isConnected) this.socket.enter();
    else this.socket.start();
  }

  stop() {
    this.isWanted = false;
    clearInterval(this.timer);
    this.socket.stop();
  }

  /** After `reload`: the page shows the room as it was at this number. */
  resume(number) {
    Object.assign(this.room, { isOver: false, number });
    if (this.socket.isConnected) this.socket.enter();
    else this.room.lost();
  }

  /** Milliseconds of the server's clock: a doctor's own may be an hour off. */
  now() {
    return Date.now() + this.offset;
  }

  receive(frame) {
    this.heardAt = performance.now();
    if (this.isWanted) this.room.receive(frame);
  }

  lost(code) {
    if (!this.isWanted) return;
    if (code in ENDS) this.room.goodbye(ENDS[code]);
    else this.room.lost();
  }

  watch() {
    if (this.socket.isUp && performance.now() - this.heardAt > SILENT_MILLISECONDS) this.socket.reset();
  }
}
