/**
 * Walks a stretch of time in windows that hold neither nothing nor too much.
 *
 * A window that comes back full is narrowed, one that comes back (nearly) empty
 * makes the next one wider, and nothing is widened past a bound that is known to
 * be too far.
 */

/** The usual first window: a second, in µs. */
const FIRST_WIDTH = 1_000_000;
/** How much wider the next window is after an empty one, and how much narrower after a full one. */
const FACTOR = 8;
/** A window with so many hits is wide enough. */
const ENOUGH = 50;

/** What one window holds; `full` means that there may be more. */
export interface Window<T> {
  readonly hits: T[];
  readonly full: boolean;
}

/**
 * Yields what lies between two bounds, both included, in runs that follow each
 * other in the direction asked for.
 *
 * `search` returns the hits between two bounds, all of them when `all` is set.
 */
export async function* windows<T>(
  direction: 'asc' | 'desc',
  from: number,
  to: number,
  search: (from: number, to: number, all: boolean) => Promise<Window<T>>,
  firstWidth = FIRST_WIDTH,
): AsyncGenerator<T[]> {
  // One walk for both directions: `at` counts how far we are from where the walk begins.
  const distance = to - from;
  const look = (near: number, far: number, all: boolean) =>
    direction === 'asc' ? search(from + near, from + far, all) : search(to - far, to - near, all);
  let width = firstWidth;
  let tooFar = Number.POSITIVE_INFINITY;
  for (let at = 0; at <= distance; ) {
    const reach = Math.min(at + width, at + Math.floor((tooFar - at) / 2), distance);
    // A single instant cannot be narrowed: then everything it holds is taken.
    const { hits, full } = await look(at, reach, reach === at);
    if (full && reach > at) {
      tooFar = reach;
      width = Math.floor((reach - at) / FACTOR);
      continue;
    }
    if (hits.length > 0) yield hits;
    if (hits.length < ENOUGH) width = Math.max(width, reach - at + 1) * FACTOR;
    at = reach + 1;
    if (at >= tooFar) tooFar = Number.POSITIVE_INFINITY;
  }
}
