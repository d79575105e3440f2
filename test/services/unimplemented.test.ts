import { expect, it } from 'vitest';
import { useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();
const ask = { sessionId: 'any' };

it.each([
  ['IntegrateSession', () => Array.fromAsync(parley.sessions.integrateSession(ask))],
  ['ListInsights', () => parley.sessions.listInsights(ask)],
])('%s is of a later version: UNIMPLEMENTED', async (_, call) => {
  expect(await refusal(call())).toBe('UNIMPLEMENTED METHOD_UNIMPLEMENTED');
});
