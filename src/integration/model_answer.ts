/**
 * Reads what a model says it learnt. It is asked for one form and nothing else is accepted; and since what it read may
 * have been written to deceive it, what it answers is bounded, and checked against the turns it was shown.
 */
import { ParleyError } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../structs/json.ts';

/** The most a batch can teach; what comes after the first so many is left out. */
export const MOST_INSIGHTS = 50;
/** The longest an insight gets, in characters. */
const LONGEST_TEXT = 1000;
/** The most turns an insight names. */
const MOST_EVIDENCE = 32;

/** OpenAI's `response_format`, for {@link learntIn}. */
export const ANSWER_FORMAT: JsonObject = {
  type: 'json_schema',
  json_schema: {
    name: 'insights',
    strict: true,
    schema: object({
      insights: {
        type: 'array',
        items: object({
          text: { type: 'string' },
          evidence: { type: 'array', items: { type: 'integer' } },
        }),
      },
    }),
  },
};

/** An insight before it has a name. */
export interface LearntText {
  readonly text: string;
  readonly evidence: readonly number[];
}

/**
 * The insights of an answer. Those are left out that no turn supports (`shown`: their seqs), that say nothing, and that
 * say again what is said before them or `known`. MODEL_ANSWER_INVALID for an answer of another form.
 */
export function learntIn(answer: string, shown: ReadonlySet<number>, known: readonly string[]): LearntText[] {
  const said = new Set(known.map(gist));
  const learnt: LearntText[] = [];
  for (const item of itemsOf(answer)) {
    const text = inOneLine(item.text);
    const evidence = [...new Set(item.evidence)].filter((seq) => shown.has(seq));
    if (text === '' || evidence.length === 0 || said.has(gist(text))) continue;
    said.add(gist(text));
    learnt.push({ text, evidence: evidence.sort((one, other) => one - other).slice(0, MOST_EVIDENCE) });
    if (learnt.length === MOST_INSIGHTS) break;
  }
  return learnt;
}

/** MODEL_ANSWER_INVALID. */
export function answerInvalid(what: string): ParleyError {
  return new ParleyError('MODEL_ANSWER_INVALID', `the model did not answer with insights: ${what}`);
}

function itemsOf(answer: string): LearntText[] {
  const root = parsed(answer);
  const insights = onlyFields(root, 'insights')?.insights;
  if (!Array.isArray(insights)) throw answerInvalid('its JSON has another form');
  for (const item of insights) {
    const fields = onlyFields(item, 'text', 'evidence');
    const evidence = fields?.evidence;
    if (typeof fields?.text !== 'string' || !Array.isArray(evidence) || !evidence.every(Number.isInteger))
      throw answerInvalid('its JSON has another form');
  }
  return insights as unknown as LearntText[];
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw answerInvalid('it is not JSON');
  }
}

/** An object with exactly these fields. */
function onlyFields(value: Json, ...names: string[]): JsonObject | undefined {
  if (!isObject(value)) return undefined;
  const own = Object.keys(value);
  return own.length === names.length && names.every((name) => Object.hasOwn(value, name)) ? value : undefined;
}

/** A text that cannot look like more than one, and is no longer than it may be. */
function inOneLine(text: string): string {
  const line = text
    .slice(0, 4 * LONGEST_TEXT)
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= LONGEST_TEXT) return line.toWellFormed();
  const cut = line.slice(0, LONGEST_TEXT - 1).replace(/[\ud800-\udbff]$/, ''); // no half character
  return `${cut.trimEnd()}…`.toWellFormed();
}

function gist(text: string): string {
  return text.toLowerCase();
}

/** A schema as OpenAI's strict mode wants it. */
function object(properties: JsonObject): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}
