/** JSON at its worst, for properties. */
import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/structs/json.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'a', 'A', '\0', '\u2028', '😀', 'é', 'e\u0301'),
);

export const anyKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '__proto__',
    '',
    '.',
    '$',
    '$.a',
    '[0]',
    '"',
    'constructor',
    'toString',
    '0',
    '1',
    'a',
    'b',
  ),
  text,
);

export const anyScalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -0, 1, 5e-324, -5e-324, 2.225073858507201e-308, 1e308, 0.1),
  fc.constantFrom<Json>(2 ** 53, 2 ** 53 + 2, 2 ** 63, -(2 ** 63), 2 ** 64, 1.2e20, 1e21, 1e23, 4.35),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  text,
);

const { json, object } = fc.letrec<{ json: Json; object: JsonObject }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: anyScalar, weight: 3 },
    fc.array(tie('json'), { maxLength: 5 }),
    tie('object'),
  ),
  object: objectOf(tie('json')),
}));

export const anyJson: fc.Arbitrary<Json> = json;
export const anyObject: fc.Arbitrary<JsonObject> = object;

/** Few keys and few values, so that two of them have something in common. */
export const smallObject: fc.Arbitrary<JsonObject> = few(
  [null, true, 0, -0, 1, '', 'a', '1'],
  ['a', 'b', '__proto__'],
);

/** The same without what is hard to write as a patch. */
export const tameObject: fc.Arbitrary<JsonObject> = few([true, 0, 1, 0.25, '', 'a'], ['a', 'b', '$.a', '']);

function few(values: Json[], keys: string[]): fc.Arbitrary<JsonObject> {
  return fc.letrec<{ json: Json; object: JsonObject }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      { arbitrary: fc.constantFrom(...values), weight: 3 },
      fc.array(tie('json'), { maxLength: 4 }),
      tie('object'),
    ),
    object: objectOf(tie('json'), fc.constantFrom(...keys)),
  })).object;
}

function objectOf(values: fc.Arbitrary<Json>, keys = anyKey): fc.Arbitrary<JsonObject> {
  return fc
    .uniqueArray(fc.tuple(keys, values), { selector: ([key]) => key, maxLength: 6 })
    .map((entries) => Object.fromEntries(entries));
}
