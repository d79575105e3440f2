/**
 * Whether the templates of a session compile, asked before they are written.
 *
 * What a mutation writes is decided in one go, on the session as it then is, while compiling takes a process of its
 * own and its time. So a decision that depends on a text nobody has compiled yet is called off, the text is compiled,
 * and the mutation begins again.
 */
import { type FieldViolation, ParleyError } from '../errors.ts';
import { describe, isTemplate, type TemplateProblem, type Templates } from '../templates/template.ts';
import { boundParticipants, type Session, type SessionKey } from './session.ts';
import type { NewSession, SessionUpdate } from './settings.ts';
import type { Caller } from './store.ts';

/** A text that is going to be rendered, and how its problems are told. */
interface Use {
  readonly text: string;
  readonly field: string;
  /** What the text is, where the field does not say it. */
  readonly prefix?: string;
}

/** Calls a decision off; never reaches a caller. */
class NotCompiledYet {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class TemplateChecks {
  readonly #known = new Map<string, TemplateProblem | undefined>();

  /** Runs a mutation whose decision asks these checks. */
  static async during<T>(
    templates: Pick<Templates, 'check'>,
    { namespace }: Pick<SessionKey, 'namespace'>,
    caller: Caller,
    mutation: (checks: TemplateChecks) => Promise<T>,
  ): Promise<T> {
    const checks = new TemplateChecks();
    for (;;) {
      try {
        return await mutation(checks);
      } catch (error) {
        if (!(error instanceof NotCompiledYet)) throw error;
        const { signal } = caller;
        checks.#known.set(error.text, await templates.check(error.text, { namespace, signal }));
      }
    }
  }

  created({ situation, participants, renderTemplates }: NewSession): void {
    if (!renderTemplates) return;
    this.#check([
      { text: situation, field: 'session.situation' },
      ...participants.map(({ instructions }, index) => ({
        text: instructions,
        field: `session.participants[${index}].instructions`,
      })),
    ]);
  }

  /** Only what the update brings; or, when it turns rendering on, all there is. */
  updated(before: Session, after: Session, { fields }: SessionUpdate): void {
    if (!after.renderTemplates) return;
    const field = 'session.render_templates';
    const uses: Use[] = [];
    if (fields.situation !== undefined) uses.push({ text: after.situation, field: 'session.situation' });
    else if (!before.renderTemplates) uses.push({ text: after.situation, field, prefix: 'situation: ' });
    if (!before.renderTemplates) {
      for (const { participantId, instructions } of boundParticipants(after))
        uses.push({ text: instructions, field, prefix: `instructions of ${participantId}: ` });
    }
    this.#check(uses);
  }

  bound({ renderTemplates }: Session, instructions: string): void {
    if (renderTemplates) this.#check([{ text: instructions, field: 'participant.instructions' }]);
  }

  /** One after the other, and none after the first that is no good. */
  #check(uses: readonly Use[]): void {
    for (const { text, field, prefix = '' } of uses) {
      if (!isTemplate(text)) continue;
      if (!this.#known.has(text)) throw new NotCompiledYet(text);
      const problem = this.#known.get(text);
      if (problem) throw templateInvalid({ field, description: prefix + describe(problem) });
    }
  }
}

function templateInvalid(violation: FieldViolation): ParleyError {
  const { field, description } = violation;
  return new ParleyError('TEMPLATE_INVALID', `${field}: ${description}`, { fields: [violation] });
}
