// The scanned code, as the address of the page has it.
import { canonicalOrSame, identify } from "../../verify/index.js";

const DOMAIN = "https://id.gs1.org";

/** `{epc, lot, gtin, serial, lotNumber, sscc}` of a Digital Link path, or null. */
export function identifierOf(path) {
  const found = identify(DOMAIN + path);
  if (!found) return null;
  const qualifier = (ai) => found.qualifiers.find(([key]) => key === ai)?.[1] ?? null;
  const lotNumber = qualifier("10");
  const gtin = found.ai === "01" ? found.value : null;
  return {
    epc: canonicalOrSame(DOMAIN + path),
    lot: gtin && lotNumber && qualifier("21") ? canonicalOrSame(`${DOMAIN}/01/${gtin}/10/${encodeURIComponent(lotNumber)}`) : null,
    gtin,
    serial: qualifier("21"),
    lotNumber,
    sscc: found.ai === "00" ? found.value : null,
  };
}

const PLACE_CHARS_MAX = 80;

/** What to call a place that has no name: its GLN, with its part, or the identifier itself. */
export function placeName(id) {
  const found = identify(id);
  if (!found) return id.slice(0, PLACE_CHARS_MAX);
  const parts = [found.value, ...found.qualifiers.map(([, value]) => value)].join(" / ");
  return found.ai === "414" ? `GLN ${parts}` : parts;
}

/** A short name for people: the serial, lot or SSCC at the end of an identifier. */
export function shortName(epc) {
  const found = identify(epc);
  if (!found) return epc;
  return found.qualifiers.at(-1)?.[1] ?? found.value;
}
