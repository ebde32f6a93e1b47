// What the page knows, and who wants to hear when it changes.

export const state = {
  campaign: null,
  kinds: [],
  rules: null,
  player: null,
  hand: null,
  complete: false,
  quotas: [],
  friends: [],
  share: null,
  packet: null,
  proposal: null,
  tally: null,
  ballot: null,
  comments: [],
  older: null,
  announcements: [],
};

const listeners = new Map();

/** Call `listener` now and whenever one of these parts has changed. */
export function watch(parts, listener) {
  for (const name of parts) listeners.set(name, [...(listeners.get(name) ?? []), listener]);
  listener();
}

export function update(changes) {
  Object.assign(state, changes);
  const told = new Set(Object.keys(changes).flatMap((name) => listeners.get(name) ?? []));
  told.forEach((listener) => listener());
}

export const kind = (slug) => state.kinds.find((known) => known.slug === slug);

/** Whoever answers last may know less: of two hands the one with the higher version is the newer. */
export function takeHand(hand, more = {}) {
  if (state.hand && hand.version < state.hand.version) return;
  const wanted = state.rules?.complete_set ?? [];
  const complete = wanted.every((slug) => hand.counts[slug] + hand.escrow[slug] > 0);
  update({ hand, complete, ...more });
}
