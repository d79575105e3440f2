/**
 * RedisJSON reads a number as `digits × 10^n` in floating point, which for many
 * of more than 15 digits ends one bit beside it (7.996062797706731e-241 comes
 * back as …73e-241).
 */

/** Whether every number in a value is one that JSON.stringify writes and RedisJSON reads exactly: of at most 15 digits, or an integer. */
export function survives(value: unknown): boolean {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? !Object.is(value, -0) : isShort(String(value));
  }
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(survives);
  for (const key in value) if (!survives((value as Record<string, unknown>)[key])) return false;
  return true;
}

/** 15 digits and a point, or a sign and 14 and a point; none of them an exponent. */
function isShort(number: string): boolean {
  return number.length <= 16 && !number.includes('e');
}
