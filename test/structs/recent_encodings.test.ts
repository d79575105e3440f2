import { expect, it } from 'vitest';
import { RecentEncodings } from '../../src/structs/recent_encodings.ts';

/** Encodes to so many bytes, and counts how often. */
function encoder(length = 128) {
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

it.each([127, 32 * 1024 + 1])('does not keep an encoding of %d bytes', (length) => {
  const recent = new RecentEncodings<object>();
  const encode = encoder(length);
  const value = {};
  recent.of(value, encode);
  recent.of(value, encode);
  expect(encode.calls).toBe(2);
});

it('knows an encoding it was told of, without holding on to where it came from', () => {
  const recent = new RecentEncodings<object>();
  const encode = encoder();
  const value = {};
  const message = Buffer.alloc(1000, 7);
  recent.know(value, message.subarray(100, 300));
  message.fill(0);
  expect(recent.of(value, encode)).toEqual(Buffer.alloc(200, 7));
  expect(encode.calls).toBe(0);
});
