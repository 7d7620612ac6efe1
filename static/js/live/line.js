// One socket for the page: the player's carries the room as well. Also knows what time it is for the server.

import { carry, enter } from "./room.js";

export class SharedLine {
  constructor({ socket, room, now }) {
    Object.assign(this, { socket, room });
    this.offset = Date.parse(now) - Date.now();
    carry(socket, room, { refused: "not_enrolled", isWanted: () => this.isWanted });
    room.addEventListener("state", ({ detail }) => { this.offset = Date.parse(detail.now) - Date.now(); });
    room.addEventListener("bye", () => this.stop());
    window.addEventListener("pageshow", (event) => event.persisted && this.isWanted && socket.reset());
  }

  start() {
    if (this.isWanted) return;
    this.isWanted = this.socket.talks = true;
    if (!("WebSocket" in window)) [1, 2].forEach(() => this.room.lost());
    else if (this.socket.isConnected) enter(this.socket, this.room);
    else this.socket.start();
  }

  stop() {
    this.isWanted = false;
    this.socket.stop();
  }

  /** After `reload`: the page shows the room as it was at this number. */
  resume(number) {
    Object.assign(this.room, { isOver: false, number });
    if (this.socket.isConnected) enter(this.socket, this.room);
    else this.room.lost();
  }

  /** Milliseconds of the server's clock: a doctor's own may be an hour off. */
  now() {
    return Date.now() + this.offset;
  }
}
