// Numbers and times as people read them. Null and undefined are unknown: "–".

export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en");

/** A count with thousands separated. */
export const count = (value) => (value == null ? UNKNOWN : whole.format(value));

/** A length of time with three digits, from microseconds to days. */
export function duration(us) {
  if (us == null) return UNKNOWN;
  const size = Math.abs(us);
  if (size < 1_000) return `${us} µs`;
  if (size < 999_500) return `${digits(us / 1e3)} ms`;
  if (size < 59_950_000) return `${digits(us / 1e6)} s`;
  const seconds = Math.round(size / 1e6);
  const sign = us < 0 ? "-" : "";
  if (seconds < 3_600) return `${sign}${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${sign}${Math.floor(seconds / 3_600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${sign}${Math.floor(seconds / 86_400)} d ${Math.floor(seconds / 3_600) % 24} h`;
}

/** How long ago, in one unit: it is shown while it grows. */
export function age(us) {
  if (us == null) return UNKNOWN;
  const seconds = Math.max(0, Math.floor(us / 1e6));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** A size in bytes with decimal prefixes. */
export function bytes(value) {
  if (value == null) return UNKNOWN;
  if (value < 1e3) return `${value} B`;
  for (const [unit, size] of [["kB", 1e3], ["MB", 1e6], ["GB", 1e9]]) {
    if (value < size * 999.5) return `${digits(value / size)} ${unit}`;
  }
  return `${digits(value / 1e12)} TB`;
}

/** An amount of satoshi in bitcoin, without the zeros at its end. */
export const bitcoins = (sat) => `${(sat / 1e8).toFixed(8).replace(/\.?0+$/, "")} BTC`;

/** The ends of a hash: block hashes begin with zeros, so that the last digits tell more. */
export const ends = (hash) => [hash.slice(0, 6), hash.slice(-10)];

/** Where a delay lies on the bars' scale, from 0 to 1: logarithmic, 1 at a minute. */
export const position = (us) => Math.min(1, Math.log10(1 + Math.max(0, us) / 1e3) / Math.log10(60_001));

function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}
