// The server's clock, as this page knows it: every answer that tells the time is a chance to learn it better.
// The device's own clock is never asked; it may be wrong, or be changed meanwhile.

const JUMP_MS = 1000;

let offset = null;
let best = Infinity;

/** `asked` is performance.now() from before the request. The quickest answer is the most exact. */
export function learn(serverTime, asked) {
  const answered = performance.now();
  const trip = answered - asked;
  const guess = Date.parse(serverTime) - (asked + trip / 2);
  const jumped = offset === null || Math.abs(guess - offset) > JUMP_MS + trip;
  if (jumped || trip <= best) {
    offset = guess;
    best = trip;
  }
}

/** Milliseconds since 1970 by the server's clock; NaN before the first answer. */
export const now = () => (offset === null ? NaN : performance.now() + offset);
