// Temperature series out of the sensor elements of the journey's events.
import { parseTime } from "../../verify/index.js";

const CELSIUS = new Map([
  ["CEL", (value) => value],
  ["FAH", (value) => ((value - 32) * 5) / 9],
  ["KEL", (value) => value - 273.15],
]);
const WINDOWS_MAX = 5000;

/**
 * Series, one for each recorder and journey leg after leg: `{device, min, max, windows, steps}`, where a
 * window is `{start, end, low, high, alarm}` in degrees Celsius and min and max are the limits or null.
 */
export function temperatureSeries(steps) {
  const series = new Map();
  for (const step of steps) {
    for (const element of listed(step.event.sensorElementList)) addElement(series, step, element);
  }
  const all = [...series.values()].filter((one) => one.windows.length > 1);
  for (const one of all) one.windows.sort((left, right) => left.start - right.start);
  return all;
}

function addElement(series, step, element) {
  const metadata = element?.sensorMetadata ?? {};
  for (const report of listed(element?.sensorReport)) {
    const window = windowOf(step, metadata, report);
    if (!window) continue;
    const device = String(report.deviceID ?? metadata.deviceID ?? "");
    const min = number(step.reader.attribute(metadata, "temperatureMin"));
    const max = number(step.reader.attribute(metadata, "temperatureMax"));
    const key = JSON.stringify([device, min, max]);
    if (!series.has(key)) series.set(key, { device, min, max, windows: [], steps: [] });
    const one = series.get(key);
    if (one.windows.length < WINDOWS_MAX) one.windows.push(window);
    if (!one.steps.includes(step)) one.steps.push(step);
  }
}

function windowOf(step, metadata, report) {
  if (step.reader.word(report?.type, "measurementType") !== "Temperature") return null;
  const celsius = CELSIUS.get(report.uom);
  if (!celsius) return null;
  const values = [report.value, report.meanValue, report.minValue, report.maxValue].filter(Number.isFinite);
  if (values.length === 0) return null;
  const at = parseTime(String(report.time ?? metadata.time ?? "")) ?? step.time?.moment;
  const start = parseTime(String(metadata.startTime ?? "")) ?? at;
  const end = parseTime(String(metadata.endTime ?? "")) ?? at;
  if (start === undefined || end === undefined || start === null || end < start) return null;
  return {
    start,
    end,
    low: celsius(Math.min(...values)),
    high: celsius(Math.max(...values)),
    alarm: report.exception !== undefined && step.reader.word(report.exception, "sensorAlertType") === "ALARM_CONDITION",
  };
}

/** What a series comes to: `{low, high, alarms, above: {minutes, peak}, below: {minutes, peak}}`. */
export function summary({ windows, min, max }) {
  const minutes = (some) => Math.round(some.reduce((sum, { start, end }) => sum + (end - start), 0) / 60_000);
  const above = max === null ? [] : windows.filter(({ high }) => high > max);
  const below = min === null ? [] : windows.filter(({ low }) => low < min);
  return {
    low: Math.min(...windows.map(({ low }) => low)),
    high: Math.max(...windows.map(({ high }) => high)),
    alarms: windows.filter(({ alarm }) => alarm).length,
    above: { minutes: minutes(above), peak: Math.max(...above.map(({ high }) => high)), count: above.length },
    below: { minutes: minutes(below), peak: Math.min(...below.map(({ low }) => low)), count: below.length },
  };
}

const listed = (value) => (Array.isArray(value) ? value : []);
const number = (spelled) => (/^-?\d+(\.\d+)?$/.test(spelled) ? Number(spelled) : null);
