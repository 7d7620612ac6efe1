// The staff preview: the same files and the same short grant as the watch page, without beats.

const RENEW_MS = 4 * 60_000;
const video = document.querySelector("[data-preview]");
const { hls, mp4 } = video.dataset;

// hls.js first: Chromium says "maybe" to native HLS and then lacks half of it.
if (window.Hls?.isSupported()) {
  const player = new window.Hls();
  player.loadSource(hls);
  player.attachMedia(video);
  player.on(window.Hls.Events.ERROR, (_name, data) => {
    if (!data.fatal) return;
    player.destroy();
    video.src = mp4;
  });
} else if (video.canPlayType("application/vnd.apple.mpegurl")) {
  video.src = hls;
}

// Asking for the page again renews the grant, which lasts ten minutes.
setInterval(() => { if (!video.paused) fetch(window.location.href, { credentials: "same-origin" }); }, RENEW_MS);
