// Temperature charts: lowest to highest per window, the limits, and every excursion marked.
import { h, s } from "../dom.js";
import { localClock, localDate, localDay, numberText, twin, word } from "../language.js";
import { shortName } from "../model/identifier.js";
import { releaseAfter } from "../model/journey.js";
import { summary } from "../model/sensors.js";

const WIDTH = 640;
const HEIGHT = 250;
const LEFT = 54;
const RIGHT = 12;
const TOP = 18;
const BOTTOM = 38;
const DAY_MS = 86_400_000;

export function temperatureCard(series, steps) {
  if (series.length === 0) return null;
  // Excursions first, then the limits that held, then the rest.
  const weight = (one) => (summary(one).alarms ? 0 : one.max !== null ? 1 : 2);
  const ordered = [...series].sort((left, right) => weight(left) - weight(right));
  return h(
    "section",
    { class: "card", "aria-labelledby": "temperature-title" },
    h("h2", { id: "temperature-title" }, word("temperature.title")),
    ordered.map((one) => figure(one, steps)),
  );
}

function figure(one, steps) {
  const sums = summary(one);
  const offset = one.steps[0].time?.offset ?? 0;
  const allowed = one.max !== null && one.min !== null
    ? ` · ${word("temperature.allowed", { min: numberText(one.min), max: numberText(one.max) })}`
    : "";
  const who = twin(one.steps[0].organisation.name.en, one.steps[0].organisation.name.zh);
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("strong", {}, who), h("span", { class: "fine" }, `${word("temperature.recorder", { device: shortName(one.device) })}${allowed}`)),
    drawing(one, sums, offset),
    remarks(one, sums, steps),
  );
}

function remarks(one, sums, steps) {
  const range = { min: numberText(sums.low), max: numberText(sums.high) };
  const lines = [];
  if (sums.above.count) lines.push(word("temperature.alarm", { max: numberText(one.max), minutes: numberText(sums.above.minutes), peak: numberText(sums.above.peak) }));
  if (sums.below.count) lines.push(word("temperature.alarm.low", { min: numberText(one.min), minutes: numberText(sums.below.minutes), peak: numberText(sums.below.peak) }));
  if (lines.length === 0 && sums.alarms) lines.push(word("temperature.alarm.other", { count: sums.alarms }));
  if (lines.length === 0) {
    return h("p", { class: "remark" }, word(one.max === null ? "temperature.range" : "temperature.fine", range));
  }
  const last = one.windows.filter(({ alarm, high }) => alarm || high > one.max).at(-1) ?? one.windows.at(-1);
  const release = releaseAfter(steps, last.end);
  lines.push(
    release
      ? word("temperature.released", { date: localDate(release.time.moment, release.time.offset), name: twin(release.organisation.name.en, release.organisation.name.zh) })
      : word("temperature.unreleased"),
  );
  return h("p", { class: release ? "remark alarm released" : "remark alarm" }, lines.join(" "));
}

function drawing(one, sums, offset) {
  const { windows, min, max } = one;
  const [start, end] = [windows[0].start, Math.max(...windows.map((window) => window.end))];
  const low = Math.min(sums.low, min ?? sums.low);
  const high = Math.max(sums.high, max ?? sums.high);
  const step = [1, 2, 5, 10, 20, 50].find((size) => (high - low) / size <= 5) ?? 100;
  const bottom = Math.floor(low / step) * step;
  const top = Math.max(bottom + step, Math.ceil(high / step) * step);
  const x = (moment) => LEFT + ((moment - start) / Math.max(1, end - start)) * (WIDTH - LEFT - RIGHT);
  const y = (degrees) => HEIGHT - BOTTOM - ((degrees - bottom) / (top - bottom)) * (HEIGHT - TOP - BOTTOM);
  const text = { from: `${localDay(start, offset)} ${localClock(start, offset)}`, to: `${localDay(end, offset)} ${localClock(end, offset)}`, min: numberText(sums.low), max: numberText(sums.high) };
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": word("temperature.label", text) },
    degreesAxis(bottom, top, step, y),
    timeAxis(start, end, offset, x),
    min !== null && max !== null
      ? s("rect", { class: "allowed", x: LEFT, y: y(max), width: WIDTH - LEFT - RIGHT, height: Math.max(0, y(min) - y(max)) })
      : null,
    bands(windows, x, y, one),
    max !== null ? s("path", { class: "limit", d: `M${LEFT} ${y(max).toFixed(1)}H${WIDTH - RIGHT}` }) : null,
    peak(windows, sums, x, y, one),
  );
}

/** A bar for each window from lowest to highest; excursions in their own colour. */
function bands(windows, x, y, { max, min }) {
  return s(
    "g",
    { class: "bands" },
    windows.map((window) => {
      const out = window.alarm || (max !== null && window.high > max) || (min !== null && window.low < min);
      const width = Math.max(2, x(window.end) - x(window.start) - 1.5);
      const height = Math.max(3, y(window.low) - y(window.high));
      return s("rect", { class: out ? "window out" : "window", x: x(window.start).toFixed(1), y: y(window.high).toFixed(1), width: width.toFixed(1), height: height.toFixed(1), rx: 2 });
    }),
  );
}

function peak(windows, sums, x, y, { max }) {
  if (max === null || sums.above.count === 0) return null;
  const window = windows.find(({ high }) => high === sums.above.peak);
  const middle = x((window.start + window.end) / 2);
  const right = middle < WIDTH * 0.6;
  return s(
    "text",
    { class: "peak", x: (middle + (right ? 14 : -14)).toFixed(1), y: (y(window.high) + 12).toFixed(1), "text-anchor": right ? "start" : "end" },
    `${numberText(window.high)} °C`,
  );
}

function degreesAxis(bottom, top, step, y) {
  const group = s("g", { class: "axis" });
  for (let degrees = bottom; degrees <= top + 0.001; degrees += step) {
    const at = y(degrees).toFixed(1);
    group.append(
      s("path", { d: `M${LEFT} ${at}H${WIDTH - RIGHT}` }),
      s("text", { x: LEFT - 8, y: Number(at) + 7, "text-anchor": "end" }, `${numberText(degrees)}°`),
    );
  }
  return group;
}

/** Three labels at round hours, with the day where the series is longer than one. */
function timeAxis(start, end, offset, x) {
  const hours = [1, 2, 3, 6, 12, 24, 48, 96].find((size) => (end - start) / (size * 3_600_000) <= 5) ?? 168;
  const step = hours * 3_600_000;
  const shift = offset * 60_000;
  const group = s("g", { class: "axis times" });
  for (let moment = Math.ceil((start + shift) / step) * step - shift; moment <= end; moment += step) {
    const at = x(moment);
    const midnight = (moment + shift) % DAY_MS === 0;
    const text = midnight || hours >= 24 ? localDay(moment, offset) : localClock(moment, offset);
    if (at < LEFT + 14 || at > WIDTH - RIGHT - 26) continue;
    group.append(
      s("path", { d: `M${at.toFixed(1)} ${HEIGHT - BOTTOM}v6` }),
      s("text", { x: at.toFixed(1), y: HEIGHT - 6, "text-anchor": "middle" }, text),
    );
  }
  return group;
}
