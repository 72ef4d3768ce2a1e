// The drawn route: our own projection and graticule, no tiles, no borders.
import { h, s } from "../dom.js";
import { numberText, twin, word } from "../language.js";

const WIDTH = 640;
const HEIGHT = 440;
const MARGIN = 64;
const EARTH_RADIUS_KM = 6371;
const NEAR = 22; // drawing units below which two places are one stop
const APART = 46; // and above which two marks do not touch
const SPREAD_ROUNDS = 12;
const radians = (degrees) => (degrees * Math.PI) / 180;

export function mapCard(steps) {
  const places = steps.filter(({ place, outcome }) => outcome !== "invalid" && place?.latitude != null).map(({ place }) => place);
  if (places.length === 0) return null;
  const project = projection(places);
  const stops = stopsOf(places, project);
  const names = stops.map(({ names }) => names.join(" / "));
  const km = distanceKm(places);
  return h(
    "section",
    { class: "card map", "aria-labelledby": "map-title" },
    h("h2", { id: "map-title" }, word("map.title")),
    s(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": word("map.label", { count: stops.length, places: names.join(", ") }) },
      graticule(project),
      route(stops),
      stops.map((stop, index) => stopMark(stop, index, stops)),
      scaleBar(project),
    ),
    h("ol", { class: "stops" }, stops.map(({ names }) => h("li", {}, names.join(" / ")))),
    km >= 1 ? h("p", { class: "fine" }, word("map.distance", { km: numberText(km, 0) })) : null,
  );
}

/** Equirectangular around the middle of the places; `{at, inverse bounds, unit}`. */
function projection(places) {
  const first = places[0].longitude;
  const unwrap = (longitude) => longitude + 360 * Math.round((first - longitude) / 360);
  const longitudes = places.map(({ longitude }) => unwrap(longitude));
  const latitudes = places.map(({ latitude }) => latitude);
  const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
  const span = (values) => Math.max(...values) - Math.min(...values);
  const center = { longitude: middle(longitudes), latitude: middle(latitudes) };
  const squeeze = Math.max(0.2, Math.cos(radians(center.latitude)));
  const unit = Math.min(
    (WIDTH - 2.6 * MARGIN) / Math.max(0.05, span(longitudes) * squeeze),
    (HEIGHT - 2 * MARGIN) / Math.max(0.05, span(latitudes)),
  );
  const at = ({ longitude, latitude }) => [
    WIDTH / 2 + (unwrap(longitude) - center.longitude) * squeeze * unit,
    HEIGHT / 2 - (latitude - center.latitude) * unit,
  ];
  return { at, unit, squeeze, center };
}

/** Places in order of the journey; those that coincide in the drawing are one stop. */
function stopsOf(places, { at }) {
  const stops = [];
  for (const place of places) {
    const [x, y] = at(place);
    const name = twin(place.city.en, place.city.zh) || twin(place.name.en, place.name.zh);
    const last = stops.at(-1);
    if (last && Math.hypot(last.x - x, last.y - y) < NEAR) {
      if (name && !last.names.includes(name)) last.names.push(name);
    } else {
      stops.push({ x, y, names: name ? [name] : [] });
    }
  }
  spread(stops);
  return stops;
}

/** Pushes neighbouring stops apart until their marks do not cover each other. */
function spread(stops) {
  for (let round = 0; round < SPREAD_ROUNDS; round += 1) {
    for (const [index, one] of stops.entries()) {
      for (const other of stops.slice(index + 1)) {
        const [dx, dy] = [other.x - one.x || 0.1, other.y - one.y || 0.1];
        const gap = Math.hypot(dx, dy);
        if (gap >= APART) continue;
        const push = (APART - gap) / 2 / gap;
        one.x -= dx * push;
        one.y -= dy * push;
        other.x += dx * push;
        other.y += dy * push;
      }
    }
  }
}

function graticule({ unit, squeeze, center }) {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((degrees) => degrees * unit * squeeze >= 104) ?? 30;
  const group = s("g", { class: "graticule" });
  const west = center.longitude - WIDTH / 2 / unit / squeeze;
  const north = center.latitude + HEIGHT / 2 / unit;
  for (let lon = Math.ceil(west / step) * step, x; (x = (lon - west) * unit * squeeze) < WIDTH; lon += step) {
    group.append(s("path", { d: `M${x.toFixed(1)} 0V${HEIGHT}` }), label(x + 6, HEIGHT - 10, lon, "E", "W"));
  }
  for (let lat = Math.floor(north / step) * step, y; (y = (north - lat) * unit) < HEIGHT; lat -= step) {
    group.append(s("path", { d: `M0 ${y.toFixed(1)}H${WIDTH}` }), label(10, y - 7, lat, "N", "S"));
  }
  return group;
}

function label(x, y, degrees, positive, negative) {
  const wrapped = ((((degrees + 180) % 360) + 360) % 360) - 180;
  const text = `${numberText(Math.abs(wrapped), 2)}° ${wrapped < 0 ? negative : positive}`;
  return s("text", { x: x.toFixed(1), y: y.toFixed(1) }, text);
}

/** One gently bowed line from stop to stop, with its direction. */
function route(stops) {
  return s(
    "g",
    { class: "route" },
    stops.slice(1).map((to, index) => {
      const from = stops[index];
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      const [mx, my] = [(from.x + to.x) / 2 - dy * 0.12, (from.y + to.y) / 2 + dx * 0.12];
      const [ax, ay] = [(from.x + to.x) / 2 - dy * 0.06, (from.y + to.y) / 2 + dx * 0.06];
      const angle = ((Math.atan2(dy, dx) * 180) / Math.PI).toFixed(1);
      return [
        s("path", { class: "leg", d: `M${from.x.toFixed(1)} ${from.y.toFixed(1)}Q${mx.toFixed(1)} ${my.toFixed(1)} ${to.x.toFixed(1)} ${to.y.toFixed(1)}` }),
        Math.hypot(dx, dy) > 70
          ? s("path", { class: "arrow", d: "M-6 -6L5 0L-6 6Z", transform: `translate(${ax.toFixed(1)} ${ay.toFixed(1)}) rotate(${angle})` })
          : null,
      ];
    }),
  );
}

function stopMark(stop, index, { length }) {
  const last = index === length - 1;
  const left = stop.x > WIDTH * 0.62;
  const y = stop.y + 8;
  return s(
    "g",
    { class: last ? "stop last" : "stop" },
    s("circle", { cx: stop.x.toFixed(1), cy: stop.y.toFixed(1), r: 17 }),
    s("text", { class: "number", x: stop.x.toFixed(1), y: (stop.y + 7).toFixed(1), "text-anchor": "middle" }, String(index + 1)),
    s("text", { class: "place", x: (stop.x + (left ? -26 : 26)).toFixed(1), y: y.toFixed(1), "text-anchor": left ? "end" : "start" }, stop.names.join(" / ")),
  );
}

function scaleBar({ unit }) {
  const perKm = unit / ((Math.PI * EARTH_RADIUS_KM) / 180);
  const km = [2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1].find((length) => length * perKm <= 150) ?? 1;
  const right = WIDTH - 20;
  const left = right - km * perKm;
  return s(
    "g",
    { class: "scale" },
    s("path", { d: `M${left.toFixed(1)} 22V30H${right}V22` }),
    s("text", { x: right, y: 50, "text-anchor": "end" }, word("map.scale", { km: numberText(km, 0) })),
  );
}

/** Great-circle length of the journey (haversine). */
function distanceKm(places) {
  let sum = 0;
  for (const [index, to] of places.entries()) {
    const from = places[Math.max(0, index - 1)];
    const half = (a, b) => Math.sin(radians(b - a) / 2) ** 2;
    const squares = half(from.latitude, to.latitude) +
      Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * half(from.longitude, to.longitude);
    sum += 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(squares)));
  }
  return sum;
}
