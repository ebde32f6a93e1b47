// Votes: what is asked, how they stand, and one's ballot. What staff announce is here as well.

import * as api from "./api.js";
import { $, copy, on, part, show, toast } from "./dom.js";
import { kind, state, update, watch } from "./state.js";
import { instant, nameOf, number, say, yuan } from "./words.js";

// Of several votes the one is shown of which a player wants to know first.
const FIRST = ["open", "counting", "scheduled", "closed", "cancelled"];

let line = null;
let watched = null;

export async function fetch() {
  const anonymous = state.player === null;
  const { items } = await api.get(`campaigns/${state.campaign.slug}/proposals`, { anonymous });
  const rank = ({ state: standing }) => FIRST.indexOf(standing);
  const [proposal = null] = items.toSorted((one, other) => rank(one) - rank(other));
  const ballot = proposal?.mine ? await api.get(`proposals/${proposal.id}/ballot`) : null;
  update({ proposal, tally: proposal && newer(tallyOf(proposal)), ballot });
  follow();
}

function tallyOf({ id, options, cast: ballots, server_time: at }) {
  const counts = options.map((option) => [option.number, option.ballots]);
  return { proposal: id, ballots: Object.fromEntries(counts), cast: ballots, at };
}

/** Of two tallies of one vote. An answer may have been overtaken by a push. */
function newer(tally) {
  const { tally: known } = state;
  return known?.proposal === tally.proposal && Date.parse(known.at) > Date.parse(tally.at) ? known : tally;
}

export async function fetchAnnouncements() {
  const { items } = await api.get(`campaigns/${state.campaign.slug}/announcements?limit=5`, { anonymous: true });
  update({ announcements: items });
}

/** The connection is there, or again: what was watched over the last one is watched over this. */
export function connected(now) {
  line = now;
  watched = null;
  follow();
}

function follow() {
  const wanted = state.proposal?.state === "open" ? state.proposal.id : null;
  if (!line || wanted === watched) return;
  watched = wanted;
  if (wanted) line.tell("tally.watch", { proposal: wanted }, counted);
}

/** How a vote stands now. */
export function counted(tally) {
  if (tally.proposal === state.proposal?.id) update({ tally: newer(tally) });
}

/** Cards of a kind that a vote has removed became something else. */
export function converted({ data }) {
  const times = (slug) => data.into.filter((other) => other === slug).length;
  const cards = [...new Set(data.into)].map((slug) => `${nameOf(kind(slug).name)} ×${number(times(slug))}`);
  const became = data.fen ? yuan(data.fen) : cards.join(say("and"));
  toast(say("converted", { count: number(data.cards), name: nameOf(kind(data.kind).name), became }), "gift");
}

async function cast(option) {
  const path = `proposals/${state.proposal.id}/ballot`;
  const intentOf = (wanted) => `ballot:${state.proposal.id}:${wanted}`;
  // Whoever comes back to an option casts a new ballot, and isn't answered what an earlier one was.
  for (const { number: other } of state.proposal.options) if (other !== option) api.forget(intentOf(other));
  const ballot = await api.intend(intentOf(option), (key) => api.post(path, { option }, { key }));
  update({ ballot });
  toast(say("vote.thanks"));
}

const nameOfOption = (wanted) => nameOf(state.proposal.options.find((option) => option.number === wanted).name);

function outcome() {
  const { proposal } = state;
  if (proposal.state !== "closed") return say(`vote.${proposal.state}`, { close: instant(proposal.closes_at) });
  const { outcome: found, winner } = proposal.result;
  return say(`vote.${found}`, { name: winner === null ? "" : nameOfOption(winner) });
}

function row({ number: which, name }) {
  const { proposal, tally, ballot } = state;
  const count = tally.ballots[which] ?? 0;
  const element = copy("an-option", { name: nameOf(name), count: number(count) });
  const input = element.querySelector("input");
  input.value = which;
  input.checked = ballot?.option === which;
  input.disabled = !mayVote();
  const bar = part(element, "bar");
  bar.max = Math.max(tally.cast, 1);
  bar.value = count;
  bar.setAttribute("aria-label", say("vote.count", { name: nameOf(name), count: number(count) }));
  element.dataset.option = which;
  element.dataset.ballots = count;
  element.classList.toggle("winner", proposal.state === "closed" && proposal.result.winner === which);
  return element;
}

const mayVote = () =>
  state.player !== null && state.proposal.state === "open" && (!state.ballot || state.proposal.may_change);

function draw() {
  const { proposal, tally, ballot } = state;
  show($("vote"), proposal !== null);
  if (!proposal) return;
  $("question").textContent = nameOf(proposal.question);
  $("vote-state").textContent = outcome();
  const chosen = $("choices").querySelector("input:checked")?.value;
  const focus = $("choices").contains(document.activeElement) ? document.activeElement.value : null;
  $("choices").replaceChildren(...proposal.options.map(row));
  // A tally that comes while somebody chooses takes neither their choice nor their place.
  const again = (value) => $("choices").querySelector(`input[value="${value}"]:not(:disabled)`);
  if (chosen && mayVote() && again(chosen)) again(chosen).checked = true;
  if (focus) again(focus)?.focus();
  show($("cast"), mayVote());
  $("votes-cast").textContent = say("vote.cast", { count: number(tally.cast) });
  $("own-ballot").textContent = ballot ? say("vote.own", { name: nameOfOption(ballot.option) }) : "";
  show($("receipt-box"), ballot !== null);
  if (ballot) $("receipt").textContent = ballot.receipt;
}

function drawAnnouncements() {
  const { announcements } = state;
  show($("announcements"), announcements.length > 0);
  $("announcement-list").replaceChildren(
    ...announcements.map(({ title, body, pinned, published_at: published }) => {
      const texts = { title: nameOf(title), body: nameOf(body), when: instant(published) };
      const element = copy("an-announcement", texts);
      element.classList.toggle("pinned", pinned);
      return element;
    }),
  );
}

export function start() {
  watch(["proposal", "tally", "ballot", "player"], draw);
  watch(["announcements"], drawAnnouncements);
  on($("ballot"), "submit", async () => {
    const chosen = new FormData($("ballot")).get("option");
    if (chosen) await cast(Number(chosen));
    else toast(say("vote.choose"), "trouble");
  });
}
