// The consumer page of one item: fetch, check, tell.
import { checkAnswer } from "./check.js";
import { h, show } from "./dom.js";
import { onLanguage, twin, word } from "./language.js";
import { loadAnswer } from "./load.js";
import { identifierOf, shortName } from "./model/identifier.js";
import { certificatesOf, factsOf, stateOf, stepsOf } from "./model/journey.js";
import { temperatureSeries } from "./model/sensors.js";
import { main, start } from "./shell.js";
import { progressBanner, unreachableBanner, verdictBanner } from "./view/banner.js";
import { temperatureCard } from "./view/chart.js";
import { independentCard, proofLink } from "./view/independent.js";
import { certificatesCard, factsCard, itemHead, stateNotice } from "./view/item.js";
import { mapCard } from "./view/map.js";
import { missingPage } from "./view/missing.js";
import { journeyCard, stepTitle } from "./view/timeline.js";

const identifier = identifierOf(location.pathname);
let state = { kind: "loading" };

const PAGES = {
  loading: () => [progressBanner(word("loading"))],
  checking: ({ done, count }) => [progressBanner(word("checking", { done, count }))],
  unreachable: () => [itemHead(null, identifier, word("item")), unreachableBanner(run)],
  missing: () => missingPage(),
  checked: ({ check, steps }) => {
    const facts = factsOf(steps);
    const head = [itemHead(facts, identifier), verdictBanner(check, steps)];
    const end = [journeyCard(steps, proofLink), independentCard(check, steps)];
    // A record with a hole in it must not be summed up: only its entries are shown, each with its mark.
    if (check.outcome === "invalid") return [...head, ...end];
    return [
      ...head,
      stateNotice(stateOf(steps, Date.now())),
      mapCard(steps),
      temperatureCard(temperatureSeries(steps), steps),
      end[0],
      factsCard(facts, identifier),
      certificatesCard(certificatesOf(steps), stepTitle, shortName),
      end[1],
    ];
  },
};

function draw() {
  const open = [...document.querySelectorAll("details")].map((details) => details.open);
  show(main(), PAGES[state.kind](state));
  // A change of language redraws the same things: what was open stays open.
  for (const [index, details] of [...document.querySelectorAll("details")].entries()) details.open = open[index] ?? false;
  main().dataset.state = state.kind === "checked" ? state.check.outcome : state.kind;
}

function become(next) {
  state = next;
  draw();
}

async function run() {
  become({ kind: "loading" });
  const loaded = await loadAnswer();
  if (loaded.kind !== "answer") return become(loaded);
  const { answer } = loaded;
  let drawn = 0;
  const progress = (done, count) => {
    if (Date.now() - drawn < 120) return;
    drawn = Date.now();
    become({ kind: "checking", done, count });
  };
  const check = await checkAnswer(answer, identifier ?? { epc: "" }, progress);
  check.truncated = answer.truncated === true;
  const steps = stepsOf(check.entries);
  for (const [index, step] of steps.entries()) step.number = index + 1;
  become({ kind: "checked", check, steps });
}

function retitle() {
  const facts = state.kind === "checked" ? factsOf(state.steps) : null;
  if (facts) document.title = `${twin(facts.name.en, facts.name.zh)} · Tallystick`;
}

start(draw, () => [
  h("a", { href: "/" }, word("foot.home")),
  h("a", { href: `${location.pathname}?format=json` }, word("foot.json")),
]);
onLanguage(retitle);
window.addEventListener("online", () => state.kind === "unreachable" && run());
run().then(retitle);
