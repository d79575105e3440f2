/** Times as Python's `strftime` writes them, in UTC and in English: `%d %B %Y`. */

export function strftime(time: Date, format: string): string {
  return format.replace(/%([A-Za-z%])/g, (directive, letter: string) => LETTERS[letter]?.(time) ?? directive);
}

const LETTERS: Readonly<Record<string, (time: Date) => string>> = {
  Y: (time) => `${time.getUTCFullYear()}`,
  m: (time) => twoDigits(time.getUTCMonth() + 1),
  d: (time) => twoDigits(time.getUTCDate()),
  H: (time) => twoDigits(time.getUTCHours()),
  M: (time) => twoDigits(time.getUTCMinutes()),
  S: (time) => twoDigits(time.getUTCSeconds()),
  B: (time) => name(time, { month: 'long' }),
  b: (time) => name(time, { month: 'short' }),
  A: (time) => name(time, { weekday: 'long' }),
  a: (time) => name(time, { weekday: 'short' }),
  '%': () => '%',
};

function name(time: Date, part: Intl.DateTimeFormatOptions): string {
  return time.toLocaleString('en-US', { ...part, timeZone: 'UTC' });
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
