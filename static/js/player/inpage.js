// Keeps the picture on the page, where the name mark lies over it. Floating windows, other screens and a full-screen
// video element show the element alone; browsers, extensions and context menus start all of them without our buttons.

const CONTROLS = "nofullscreen noremoteplayback";

/** What starts anyhow is left at once; where leaving fails, the video stops. */
export class InPage {
  constructor(video) {
    this.video = video;
    this.refuse();
    new MutationObserver(() => this.refuse()).observe(video, {
      attributes: true,
      attributeFilter: ["disablepictureinpicture", "disableremoteplayback", "controlslist", "x-webkit-airplay"],
    });
    video.addEventListener("enterpictureinpicture", () => this.leave(() => document.exitPictureInPicture()));
    // Safari: `inline`, `picture-in-picture` or `fullscreen`, which is an iPhone's own player.
    for (const name of ["webkitpresentationmodechanged", "webkitbeginfullscreen"]) {
      video.addEventListener(name, () => this.leavePresentation());
    }
    if (video.remote) {
      for (const name of ["connecting", "connect"]) video.remote.addEventListener(name, () => this.leaveRemote());
    }
    for (const name of ["fullscreenchange", "webkitfullscreenchange"]) {
      document.addEventListener(name, () => this.leaveFullscreen());
    }
  }

  /** Attributes, not only properties: the page has them from the start, and a removed one comes back. */
  refuse() {
    const { video } = this;
    const wanted = {
      disablepictureinpicture: "", disableremoteplayback: "", controlslist: CONTROLS, "x-webkit-airplay": "deny",
    };
    for (const [name, value] of Object.entries(wanted)) {
      if (video.getAttribute(name) !== value) video.setAttribute(name, value);
    }
  }

  async leave(exit) {
    this.refuse();
    try {
      await exit();
    } catch (error) {
      this.video.pause();
      console.info("The picture could not be called back:", error.message);
    }
  }

  leavePresentation() {
    const { video } = this;
    if (video.webkitPresentationMode && video.webkitPresentationMode !== "inline") {
      this.leave(() => video.webkitSetPresentationMode("inline"));
    } else if (video.webkitDisplayingFullscreen) {
      this.leave(() => video.webkitExitFullscreen());
    }
  }

  /** Only the browser's own menu ends a connection: the other screen gets a paused picture. */
  leaveRemote() {
    this.refuse();
    this.video.pause();
  }

  leaveFullscreen() {
    const full = document.fullscreenElement || document.webkitFullscreenElement;
    const exit = document.exitFullscreen || document.webkitExitFullscreen;
    if (full === this.video) this.leave(() => exit.call(document));
  }
}
