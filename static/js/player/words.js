// The page's own words, translated by the server: `<template data-words><span data-word="…">`.

let words = null;

function load() {
  words = {};
  for (const source of document.querySelectorAll("template[data-words]")) {
    for (const element of source.content.querySelectorAll("[data-word]")) {
      words[element.dataset.word] = element.textContent.trim();
    }
  }
}

/** `say("continue", {time: "24:10"})` puts the values where the translation has `{time}`. */
export function say(name, values = {}) {
  if (!words) load();
  const text = words[name];
  if (text === undefined) throw new Error(`No words for ${name}`);
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** 24:10 or 1:02:03, the same digits in every language. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** 45 s, 24 min, 1 h 10 min. Rounds down: nobody reads of a minute they have not watched. */
// What is left is rounded up, so that 24 min seen and 36 min unseen make the hour.
export function durationLeft(seconds) {
  const whole = Math.max(0, Math.ceil(seconds || 0));
  return duration(whole < 60 ? whole : Math.ceil(whole / 60) * 60);
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  if (whole > 0 && whole < 60) return say("seconds", { seconds: whole });
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (!hours) return say("minutes", { minutes });
  return minutes ? say("hours-minutes", { hours, minutes }) : say("hours", { hours });
}
