import fc from 'fast-check';

type Arbitraries<T extends unknown[]> = { [K in keyof T]: fc.Arbitrary<T[K]> };

/** Runs a check, which fails by throwing, over generated values. */
export function forAll<T extends unknown[]>(
  arbitraries: Arbitraries<T>,
  check: (...values: T) => unknown,
  numRuns = 200,
): void {
  fc.assert(
    fc.property(fc.tuple<T>(...arbitraries), (values) => {
      check(...values); // what it returns is no verdict
    }),
    { numRuns },
  );
}

/** The same for checks that wait. */
export async function forAllAsync<T extends unknown[]>(
  arbitraries: Arbitraries<T>,
  check: (...values: T) => Promise<unknown>,
  numRuns: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.tuple<T>(...arbitraries), async (values) => {
      await check(...values);
    }),
    { numRuns },
  );
}
