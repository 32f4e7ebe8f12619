// What sentiment/ makes of a text, once more for a browser: its tokens (corpus/tokenizers.py), the network (inference/forward.py) and
// what each word did (inference/effects.py). It computes in float64. Matrices are their rows, one after another, as in NumPy.
"use strict";

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// By the cell: a step from the projected token, the projected output of the step before, and the state. U is the number of units.
const STEPS = {
  simple_rnn: (token, recurrent, { output }, U) => {
    for (let u = 0; u < U; u++) output[u] = Math.tanh(token[u] + recurrent[u]);
  },
  lstm: (token, recurrent, { output, carry }, U) => {
    const gate = (g, u) => token[g * U + u] + recurrent[g * U + u]; // 0 input, 1 forget, 2 candidate, 3 output
    for (let u = 0; u < U; u++) {
      carry[u] = sigmoid(gate(1, u)) * carry[u] + sigmoid(gate(0, u)) * Math.tanh(gate(2, u));
      output[u] = sigmoid(gate(3, u)) * Math.tanh(carry[u]);
    }
  },
  gru: (token, recurrent, { output }, U) => {
    for (let u = 0; u < U; u++) {
      const update = sigmoid(token[u] + recurrent[u]);
      const reset = sigmoid(token[U + u] + recurrent[U + u]);
      const candidate = Math.tanh(token[2 * U + u] + reset * recurrent[2 * U + u]);
      output[u] = update * output[u] + (1 - update) * candidate;
    }
  },
  none: (token, recurrent, { output }) => output.set(token),
};

// A vector (n) times a matrix (n, m), plus a bias (m), into the result (m).
function project(vector, matrix, bias, result) {
  const m = result.length;
  result.set(bias);
  for (let i = 0, k = 0; i < vector.length; i++) {
    const value = vector[i];
    for (let j = 0; j < m; j++, k++) result[j] += value * matrix[k];
  }
  return result;
}

// The network of the page's data: weights out of base64, and the id of each word that the network sees.
function unpack(data) {
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const floats = (text) => Float64Array.from(new Float32Array(bytes(text).buffer));
  const ids = new Map(data.vocabulary.map((word, i) => [word, i + data.first_id]));
  const seen = [...ids].filter(([, id]) => data.skip_top <= id && id < data.num_words);
  const embedding = data.embedding && floats(data.embedding), D = embedding ? embedding.length / data.num_words : 0;
  const directions = data.directions.map((weights) => {
    const [kernel, recurrentKernel, bias, recurrentBias] = weights.map(floats);
    const G = bias.length, projected = new Map();
    const projectWord = (id) =>
      embedding ? project(embedding.subarray(id * D, (id + 1) * D), kernel, bias, new Float64Array(G))
        : Float64Array.from(bias, (b, j) => kernel[id * G + j] + b); // A one-hot vector selects a row of the kernel.
    // Each word is projected once.
    const word = (id) => projected.get(id) ?? projected.set(id, projectWord(id)).get(id);
    return { word, recurrentKernel, recurrentBias, G, U: recurrentKernel.length / G };
  });
  // Without a cell, each output is the embedding of the token.
  const embeddings = { word: (id) => embedding.subarray(id * D, (id + 1) * D), recurrentKernel: [], recurrentBias: [], G: 0, U: D };
  return { ...data, ids: new Map(seen), directions: directions.length ? directions : [embeddings], kernel: floats(data.kernel) };
}

// The last maxlen ids or, of a network that cuts the ends off, the first.
const cut = (network, ids) => (network.truncating === "pre" ? ids.slice(-network.maxlen) : ids.slice(0, network.maxlen));

// The logit of the ids of the words of a text, which are cut and padded here.
function logit(network, ids) {
  const known = cut(network, ids), zeros = Array(network.maxlen - known.length).fill(0);
  const padded = network.padding === "pre" ? [...zeros, ...known] : [...known, ...zeros];
  const lasts = [], maxima = [], means = [];
  network.directions.forEach(({ word, recurrentKernel, recurrentBias, G, U }, backwards) => {
    const state = { output: new Float64Array(U), carry: new Float64Array(U) }, recurrent = new Float64Array(G);
    const maximum = new Float64Array(U).fill(-Infinity), total = new Float64Array(U);
    for (const id of backwards ? padded.toReversed() : padded) {
      project(state.output, recurrentKernel, recurrentBias, recurrent);
      STEPS[network.cell](word(id), recurrent, state, U);
      for (let u = 0; u < U; u++) {
        maximum[u] = Math.max(maximum[u], state.output[u]);
        total[u] += state.output[u];
      }
    }
    lasts.push(...state.output);
    maxima.push(...maximum);
    means.push(...total.map((sum) => sum / padded.length));
  });
  const features = { last: lasts, max: maxima, mean: means, max_mean: [...maxima, ...means] }[network.pooling];
  return features.reduce((sum, feature, i) => sum + feature * network.kernel[i], network.bias);
}

// The text without HTML entities; and where each of its units starts in the text, and where the last one ends.
function withoutEntities(text, pattern) {
  const span = document.createElement("span"), places = [];
  let without = "", end = 0;
  for (const { 0: entity, 1: name, index } of text.matchAll(new RegExp(pattern, "g"))) {
    span.innerHTML = `&${name};`; // The pattern lets no tag through.
    // Characters that Python's html.unescape leaves out.
    const characters = span.textContent.replace(/[\x01-\x08\x0b\x0e-\x1f\x7f\p{Noncharacter_Code_Point}]/gu, " ");
    without += text.slice(end, index) + characters;
    for (; end <= index; end++) places.push(end);
    end = index + entity.length;
    for (let i = 1; i < characters.length; i++) places.push(end);
  }
  without += text.slice(end);
  for (; end <= text.length; end++) places.push(end);
  return [without, places];
}

// The tokens of a text, each with its place: it comes from text.slice(start, end).
function* placedTokens({ tokenizer, ascii, separators, patterns }, text) {
  const ofKeras = tokenizer === "keras_imdb";
  const [word, unfolded] = [patterns.word, patterns.unfolded].map((each) => new RegExp(`^${each}$`, "u"));
  const emoji = new RegExp(`(${patterns.emoji})`, "u"), invisible = new RegExp(patterns.invisible, "gu");
  const inKeras = (character) => (separators.includes(character) ? " " : character.replace(/[A-Z]/, (letter) => letter.toLowerCase()));
  const inWords = (character) => {
    const typed = (ascii[character] ?? character).replace(invisible, "");
    if (typed === "" || typed === "'") return typed;
    if (!word.test(typed)) return " ";
    const folded = typed.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase();
    return word.test(folded) && !unfolded.test(typed) ? folded : typed.toLowerCase();
  };
  const readPiece = (piece) =>
    ofKeras ? [...piece].flatMap((character) => [...(ascii[character] ?? character)].map(inKeras))
      : piece.length > 1 && piece[0] === "<" ? " "
        : emoji.test(piece) ? ` ${piece.replace(/[\ufe0e\ufe0f]/g, "")} ` : inWords(piece);
  const cutWord = (read) => {
    if (ofKeras) return [read];
    const composed = read.replaceAll("i\u0307", "i").normalize("NFC");
    return tokenizer === "words" ? [composed] : composed.split(emoji).flatMap((part, i) => (i % 2 ? [part] : [...part]));
  };
  const [without, places] = withoutEntities(text + " ", patterns.entity), outside = ofKeras ? "" : "'";
  let read = [];
  for (const { 0: piece, index } of without.matchAll(new RegExp(`${patterns.tag}|${patterns.emoji}|.`, "gsu"))) {
    for (const character of readPiece(piece)) {
      if (character !== " ") {
        if (read.length || character !== outside) read.push({ character, start: places[index], end: places[index + piece.length] });
        continue;
      }
      while (read.at(-1)?.character === outside) read.pop();
      const tokens = read.length ? cutWord(read.map((each) => each.character).join("")) : [];
      const each = tokens.length === read.length; // Where a token is made of several characters, the place of all is the word's.
      for (const [i, token] of tokens.entries()) yield { token, start: read[each ? i : 0].start, end: read.at(each ? i : -1).end };
      read = [];
    }
  }
}

// The probability of a text, and its tokens; `known` are those that have an id, `seen` those of them within maxlen.
function read(network, text) {
  const tokens = [...placedTokens(network, text)].map((token) => ({ ...token, id: network.ids.get(token.token) }));
  const known = tokens.filter((token) => token.id !== undefined), whole = logit(network, known.map((token) => token.id));
  return { tokens, known, seen: cut(network, known), whole, probability: sigmoid(whole) };
}

// Gives the tokens what they did: their effect, and the probability of the text up to each or, of long texts, to each `every`-th one.
async function explain(network, { tokens, known, seen, whole }, every = 1, pause = async () => {}) {
  const ids = known.map((token) => token.id), first = known.indexOf(seen[0]);
  // One token more than the network sees: it comes in when another one goes out.
  const from = Math.max(0, network.truncating === "pre" ? first - 1 : 0), extended = ids.slice(from, from + network.maxlen + 1);
  for (const [i, token] of seen.entries()) {
    token.effect = whole - logit(network, extended.toSpliced(first - from + i, 1));
    await pause();
  }
  for (let i = (known.length - 1) % every; i < known.length; i += every) {
    known[i].probability = sigmoid(logit(network, ids.slice(0, i + 1)));
    await pause();
  }
  let probability = null;
  for (const token of tokens) probability = token.probability ??= probability;
}
