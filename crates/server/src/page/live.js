// The live stream, and polling while there is none.

/** The stream beats every 5 s; after this long without an event the connection is dead, whatever the browser thinks. */
const DEAD_MS = 12_000;
const POLL_MS = 5_000;

/** Calls `changed(topics)` when lists changed, null for all of them, and `state("live" | "wait")`. */
export function follow(url, changed, state) {
  let stream, heardAt;

  function open() {
    heardAt = Date.now();
    stream = new EventSource(url);
    const heard = (then) => (event) => {
      heardAt = Date.now();
      state("live");
      then(event);
    };
    stream.addEventListener("hello", heard(() => changed(null)));
    stream.addEventListener("change", heard((event) => changed(JSON.parse(event.data).changed)));
    stream.addEventListener("beat", heard(() => {}));
    stream.addEventListener("error", () => state("wait"));
  }

  open();
  setInterval(() => {
    if (stream.readyState === EventSource.OPEN && Date.now() - heardAt < DEAD_MS) return;
    state("wait");
    changed(null);
    if (stream.readyState === EventSource.CLOSED || Date.now() - heardAt >= DEAD_MS) {
      stream.close();
      open();
    }
  }, POLL_MS);
}
