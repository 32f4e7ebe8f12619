// The box of the page: what is typed there is read at once (network.js), and shown. All text goes in as text, never as HTML.
"use strict";

// Of a long text: so many points of the curve at most, and so many words written out again.
const POINTS = 2000, SHOWN = 5000;
const network = unpack(JSON.parse(document.getElementById("network").textContent));
const threshold = Number(document.getElementById("try").dataset.threshold), startsAt = sigmoid(logit(network, []));
const part = (name) => document.querySelector(`#try [data-part="${name}"]`);
const signed = (effect) => (effect < 0 ? "−" : "+") + Math.abs(effect).toFixed(4);
let turn = 0, timer;

// As in reviews.py: the words that were seen are coloured in three steps, by their share of the largest effect.
function classOf(effect, largest) {
  if (effect === undefined) return "unseen";
  const share = Math.abs(effect) / largest, step = share >= 0.6 ? 3 : share >= 0.25 ? 2 : share >= 0.08 ? 1 : 0;
  return step ? `${effect < 0 ? "negative" : "positive"}-${step}` : "seen";
}

// Tokens that come from the same place are shown as one; it has the sum of their effects.
function placesOf(tokens) {
  const places = [];
  for (const { start, end, effect, probability } of tokens) {
    if (places.at(-1)?.start !== start) places.push({ start, end });
    const place = places.at(-1);
    if (effect !== undefined) place.effect = (place.effect ?? 0) + effect;
    place.probability = probability;
  }
  return places;
}

function showWords(text, tokens, seen) {
  const before = Math.max(0, Math.min(tokens.indexOf(seen[0]), tokens.length - SHOWN)), shown = tokens.slice(before, before + SHOWN);
  const places = placesOf(shown), largest = Math.max(1e-12, ...places.map(({ effect }) => Math.abs(effect ?? 0)));
  const pieces = [];
  let end = before ? tokens[before - 1].end : 0;
  for (const place of places) {
    const word = document.createElement("span");
    word.textContent = text.slice(place.start, place.end);
    word.className = classOf(place.effect, largest);
    word.title = place.effect === undefined ? "not seen" : `${signed(place.effect)}, probability ${place.probability.toFixed(4)}`;
    pieces.push(text.slice(end, place.start), word);
    end = place.end;
  }
  part("words").replaceChildren(...pieces, shown.length < tokens.length ? "" : text.slice(end));

  const effects = places.filter(({ effect }) => effect !== undefined).map(({ start, end, effect }) => [effect, text.slice(start, end)]);
  for (const [label, sign] of [["positive", 1], ["negative", -1]]) {
    const strongest = effects.filter(([effect]) => effect * sign >= 0.005).sort(([a], [b]) => (b - a) * sign).slice(0, 5);
    part(label).textContent = strongest.map(([effect, word]) => `${word}\u00a0${signed(effect).slice(0, -2)}`).join("  ") || "none";
  }
  part("unseen").textContent = `${tokens.length - seen.length} of ${tokens.length} words`;
}

function showCurve(text, known, every) {
  const drawn = known.filter((_, i) => (known.length - 1 - i) % every === 0);
  const points = drawn.length ? [{ probability: startsAt, end: 0 }, ...drawn] : [];
  const at = ({ probability }, i) => `${(1000 * i) / (points.length - 1)},${200 * (1 - probability)}`;
  part("curve").setAttribute("points", points.map(at).join(" "));
  const place = ({ start, end }) => (end ? `after “${text.slice(start, end)}”` : "before the first word");
  const named = (point) => `${point.probability.toFixed(2)} ${place(point)}`;
  const sorted = points.toSorted((a, b) => a.probability - b.probability);
  const said = points.length ? `It starts at ${named(points[0])}, is lowest at ${named(sorted[0])}, highest at ${named(sorted.at(-1))}, ` +
    `and ends at ${named(points.at(-1))}.` : "There is no word to draw.";
  part("said").textContent = said;
}

async function update() {
  const text = document.getElementById("text").value, mine = ++turn, reading = read(network, text);
  const { probability, tokens, known, seen } = reading, every = Math.max(1, Math.ceil(known.length / POINTS));
  const result = part("result"), label = known.length ? (probability > threshold ? "positive" : "negative") : "unknown";
  result.className = label;
  result.textContent = known.length ? `${label}, probability ${probability.toFixed(4)}`
    : text.trim() ? "unknown: the network knows none of these words" : "unknown: nothing is typed yet";

  // The page stays awake: every 30 ms the browser has its turn, and a newer text ends the work on this one.
  part("answer").setAttribute("aria-busy", "true");
  let since = performance.now();
  await explain(network, reading, every, async () => {
    if (performance.now() - since < 30) return;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
    if (turn !== mine) throw turn; // A newer text: caught below.
  });
  showWords(text, tokens, seen);
  showCurve(text, known, every);
  const left = [];
  if (tokens.length > SHOWN) left.push(`the colours and the lists are of ${SHOWN} words of ${tokens.length}`);
  if (every > 1) left.push(`the curve has one of ${every} known words`);
  part("left").textContent = left.length ? `A long text: ${left.join("; ")}. The label is that of all of it.` : "";
  part("answer").setAttribute("aria-busy", "false");
}

const start = () => update().catch((error) => { if (error !== turn) throw error; });
document.getElementById("text").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(start, 150); });
part("answer").hidden = false;
start();
