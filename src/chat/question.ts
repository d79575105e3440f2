/** What an answer is about: the newest thing a user said. */
import type { Part, Said } from './content.ts';

/** `asked`: what the request says, the newest last; `past`: turns that are stored, the newest first. Empty when nobody said anything. */
export function questionOf(asked: readonly Said[], past: readonly Said[]): string {
  for (const { role, parts } of [...asked.toReversed(), ...past]) {
    const text = role === 'USER' ? textOf(parts) : '';
    if (text !== '') return text;
  }
  return '';
}

function textOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
}
