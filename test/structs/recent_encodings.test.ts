import { expect, it } from 'vitest';
import { RecentEncodings } from '../../src/structs/recent_encodings.ts';

/** Encodes to so many bytes, and counts how often. */
function encoder(length = 1) {
  const encode = () => {
    encode.calls++;
    return Buffer.alloc(length);
  };
  encode.calls = 0;
  return encode;
}

it('encodes a value once, and another that looks the same anew', () => {
  const recent = new RecentEncodings<object>();
  const encode = encoder();
  const value = {};
  expect(recent.of(value, encode)).toBe(recent.of(value, encode));
  expect(encode.calls).toBe(1);
  recent.of({}, encode);
  expect(encode.calls).toBe(2);
});

it('forgets the oldest of 129', () => {
  const recent = new RecentEncodings<object>();
  const values = Array.from({ length: 129 }, () => ({}));
  const encode = encoder();
  for (const value of values) recent.of(value, encode);
  recent.of(values[1]!, encode);
  expect(encode.calls).toBe(129);
  recent.of(values[0]!, encode);
  expect(encode.calls).toBe(130);
});

it('does not keep what is longer than 32 KiB', () => {
  const recent = new RecentEncodings<object>();
  const encode = encoder(32 * 1024 + 1);
  const value = {};
  recent.of(value, encode);
  recent.of(value, encode);
  expect(encode.calls).toBe(2);
});
