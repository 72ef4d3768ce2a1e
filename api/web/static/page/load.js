// Fetching the item's answer. Whatever hinders it is "unreachable", never "invalid".

const TIMEOUT_MS = 15_000;
const ANSWER_SIZE_CHARS_MAX = 64 << 20;

/** `{kind: "answer", answer}`, `{kind: "missing"}` or `{kind: "unreachable"}`. */
export async function loadAnswer(address = location.href) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(withoutFragment(address), {
      headers: { Accept: "application/json" },
      cache: "no-store",
      credentials: "same-origin",
      signal: abort.signal,
    });
    if (response.status === 404 || response.status === 410) return { kind: "missing" };
    if (!response.ok) return { kind: "unreachable" };
    const text = await response.text();
    if (text.length > ANSWER_SIZE_CHARS_MAX) return { kind: "unreachable" };
    const answer = JSON.parse(text);
    return isAnswer(answer) ? { kind: "answer", answer } : { kind: "unreachable" };
  } catch {
    return { kind: "unreachable" };
  } finally {
    clearTimeout(timer);
  }
}

const withoutFragment = (address) => address.split("#")[0];

const isAnswer = (answer) =>
  typeof answer === "object" && answer !== null && Array.isArray(answer.journey) &&
  answer.journey.every((entry) => typeof entry === "object" && entry !== null);
