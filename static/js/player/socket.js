// The player's side of the page's one WebSocket: `hello` names the play session, and beats go once it is welcome. The room
// uses the same line.

import { Line } from "../line.js";

export class Socket extends Line {
  /** An event besides those of the line: `welcome`. `isOpen`: the play session is welcome, beats may go. */
  constructor({ hello = () => null, ...given }) {
    super(given);
    this.hello = hello;
    this.isOpen = false;
    this.addEventListener("open", () => this.say(this.hello()));
  }

  start() {
    if ("WebSocket" in window) super.start();
  }

  /** Another play session on the same line. Before the line stands there is nothing to do: it begins with a greeting. */
  greet() {
    this.isOpen = false;
    if (!this.isConnected) return;
    this.expect();
    this.say(this.hello());
  }

  receive(frame) {
    if (frame.t === "welcome") this.isOpen = true;
    super.receive(frame);
  }

  isGreeting(kind) {
    const greetings = this.hello() === null ? ["room_state", "reload"] : ["welcome", "refused"];
    return greetings.includes(kind);
  }

  nameOf(kind) {
    return kind === "welcome" ? kind : super.nameOf(kind);
  }

  send(frame) {
    if (!this.isOpen) return false;
    this.say(frame);
    return true;
  }

  drop() {
    this.isOpen = false;
    super.drop();
  }
}
