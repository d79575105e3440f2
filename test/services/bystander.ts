/** Calls again and again while something else is under way; how long the slowest call took, in milliseconds. */
export async function slowestWhile(other: Promise<unknown>, call: () => Promise<unknown>): Promise<number> {
  let pending = true;
  const over = () => {
    pending = false;
  };
  other.then(over, over);
  let slowest = 0;
  do {
    const asked = performance.now();
    await call();
    slowest = Math.max(slowest, performance.now() - asked);
  } while (pending);
  return slowest;
}
