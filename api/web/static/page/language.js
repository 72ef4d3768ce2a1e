// The two languages: which one is on, its words, its dates.
import { EN } from "./words/en.js";
import { ZH } from "./words/zh.js";

const WORDS = { en: EN, zh: ZH };
const TAGS = { en: "en-GB", zh: "zh-CN" };
const STORED_UNDER = "tallystick-language";

let current = remembered() ?? (document.documentElement.lang.startsWith("zh") ? "zh" : "en");
const listeners = new Set();

export const language = () => current;

/** A word of the current language. `{name}` in it is replaced by `values.name`. */
export function word(key, values = {}) {
  const text = WORDS[current][key] ?? WORDS.en[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const hasWord = (key) => key in WORDS.en;

/** Of an English text and its Chinese twin, the one to show. */
export const twin = (english, chinese) => (current === "zh" ? chinese || english : english || chinese) || "";

export function setLanguage(name) {
  current = name in WORDS ? name : "en";
  try {
    localStorage.setItem(STORED_UNDER, current);
  } catch {
    // Private windows may forbid it: then the choice lasts as long as the page.
  }
  apply();
}

export function onLanguage(listener) {
  listeners.add(listener);
}

/** Sets the document's language, fills all `data-word` elements and redraws. */
export function apply() {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = word(element.dataset.word);
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === current));
  }
  for (const listener of listeners) listener();
}

/** Date and time as the clock on the wall showed them, `offset` minutes east of UTC. */
export const localTime = (moment, offset) =>
  formatted(moment + offset * 60_000, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });

export const localDate = (moment, offset = 0) =>
  formatted(moment + offset * 60_000, { day: "numeric", month: "short", year: "numeric" });

export const localDay = (moment, offset) =>
  formatted(moment + offset * 60_000, { day: "numeric", month: "short" });

export const localClock = (moment, offset) =>
  formatted(moment + offset * 60_000, { hour: "2-digit", minute: "2-digit" });

/** "UTC", "UTC+8" or "UTC+5:30", of minutes east of UTC. */
export function zoneName(offset) {
  if (offset === 0) return "UTC";
  const minutes = Math.abs(offset) % 60;
  const hours = Math.floor(Math.abs(offset) / 60);
  return `UTC${offset < 0 ? "−" : "+"}${hours}${minutes ? `:${String(minutes).padStart(2, "0")}` : ""}`;
}

export const utcTime = (moment) => `${localTime(moment, 0)} UTC`;

/** A calendar date such as 2026-08-31, or the text itself if it is none. */
export function dateText(text) {
  const moment = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(moment) ? localDate(moment) : text;
}

export const numberText = (value, digits = 2) =>
  new Intl.NumberFormat(TAGS[current], { maximumFractionDigits: digits }).format(value);

export function countryName(code) {
  try {
    return new Intl.DisplayNames([TAGS[current]], { type: "region" }).of(code);
  } catch {
    return code;
  }
}

const formatted = (moment, options) =>
  new Intl.DateTimeFormat(TAGS[current], { ...options, hourCycle: "h23", timeZone: "UTC" }).format(moment);

function remembered() {
  try {
    const name = localStorage.getItem(STORED_UNDER);
    return name in WORDS ? name : null;
  } catch {
    return null;
  }
}
