// The WebSocket: one connection that is made again whenever it is lost, and goes on where it was (docs/realtime.md).

import * as api from "./api.js";
import * as clock from "./clock.js";

const SUBPROTOCOL = "fivefortunes.v1.json";
// After these closes the same connect would be closed again.
const FINAL = new Set([1009, 4400, 4403, 4406, 4429]);
const NOT_SIGNED_IN = 4401;
const LONGEST_PAUSE_MS = 8000;
const GRACE_MS = 5000;
const RENEW_BEFORE_MS = 60_000;

export class Line {
  #campaign;
  #on;
  #socket = null;
  #position = null;
  #attempt = 0;
  #timers = new Set();
  #over = false;
  #lastId = 0;
  #asked = new Map();

  /**
   * `on` has: push(frame) for whatever the server tells; fresh() when what is shown must be fetched, since frames may
   * have been missed; state("open" | "lost" | "shut").
   */
  constructor(campaign, on) {
    this.#campaign = campaign;
    this.#on = on;
    // Back from a tunnel, or from sleep: don't wait for the next try.
    addEventListener("online", () => this.#hurry());
  }

  async open() {
    this.#over = false;
    this.#stopTimers();
    let access;
    try {
      access = await api.token();
    } catch (error) {
      if (error.status === 401) return;
      this.#again();
      return;
    }
    if (this.#over || this.#socket) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/v1/`, SUBPROTOCOL);
    this.#socket = socket;
    this.#after(GRACE_MS * 2, () => socket.close());
    socket.onopen = () =>
      this.#ask("connect", { token: access, campaign: this.#campaign, resume: this.#position }, (answer) =>
        this.#welcomed(answer),
      );
    // What an abandoned connection still says is nobody's business.
    socket.onmessage = (message) => this.#socket === socket && this.#take(JSON.parse(message.data));
    socket.onclose = (close) => this.#socket === socket && this.#closed(close.code, access);
  }

  close() {
    this.#over = true;
    this.#stopTimers();
    this.#socket?.close();
    this.#socket = null;
    this.#position = null;
  }

  /** A command of which nothing depends: without a connection it is not sent. `heard` gets its result. */
  tell(op, data, heard) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#ask(op, data, ({ result }) => result && heard(result));
  }

  #welcomed({ result, error }) {
    if (error) {
      // The server closes what can't succeed itself, and says why by the code.
      if (error.temporary) this.#socket?.close();
      return;
    }
    this.#stopTimers();
    this.#attempt = 0;
    this.#on.state("open");
    if (!result.recovered) {
      this.#position = { epoch: result.epoch, seq: result.seq, campaign_seq: result.campaign_seq };
      this.#on.fresh();
    }
    this.#ping(result.ping_s * 1000);
    this.#stayIn(result.expires_at);
  }

  #take(frame) {
    if ("event" in frame) {
      // Remembered once it was processed: a page that fails in between asks for it again.
      this.#on.push(frame);
      if (frame.seq !== undefined) this.#position.seq = frame.seq;
      if (frame.campaign_seq !== undefined) this.#position.campaign_seq = frame.campaign_seq;
      return;
    }
    const heard = this.#asked.get(frame.id);
    this.#asked.delete(frame.id);
    heard?.(frame);
  }

  #ask(op, data, heard) {
    this.#lastId += 1;
    const asked = performance.now();
    this.#asked.set(this.#lastId, (answer) => {
      if (answer.result?.server_time) clock.learn(answer.result.server_time, asked);
      heard(answer);
    });
    this.#socket?.send(JSON.stringify({ id: this.#lastId, op, data }));
  }

  /** A connection may be dead without a word; then no answer comes. */
  #ping(every) {
    this.#after(every, () => {
      const socket = this.#socket;
      const late = this.#after(GRACE_MS, () => socket?.close());
      this.#ask("ping", {}, () => {
        clearTimeout(late);
        this.#ping(every);
      });
    });
  }

  #stayIn(expiresAt) {
    const left = Date.parse(expiresAt) - clock.now() - RENEW_BEFORE_MS;
    this.#after(Math.max(left, 1000), async () => {
      try {
        const access = await api.token();
        this.#ask("token.refresh", { token: access }, ({ result }) => result && this.#stayIn(result.expires_at));
      } catch {
        // The server closes the socket in its time, and the next connect shows what is wrong.
      }
    });
  }

  #closed(code, access) {
    this.#socket = null;
    this.#asked.clear();
    this.#stopTimers();
    if (this.#over) return;
    if (FINAL.has(code)) {
      this.#on.state("shut");
      return;
    }
    this.#on.state("lost");
    if (code === NOT_SIGNED_IN) api.renew(access).catch(() => {}).finally(() => this.#again());
    else this.#again();
  }

  /** At once for the first time, then after longer and longer pauses, and never all clients together. */
  #again() {
    const longest = Math.min(250 * 2 ** this.#attempt, LONGEST_PAUSE_MS);
    this.#attempt += 1;
    this.#after(Math.random() * longest, () => this.open());
  }

  #hurry() {
    if (this.#over || this.#socket || this.#attempt === 0) return;
    this.#attempt = 1;
    this.#stopTimers();
    this.#again();
  }

  #after(ms, work) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #stopTimers() {
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
  }
}
