/** The table of models: name → who answers to it. */
import { Echo } from './echo.ts';
import type { Model, Models } from './model.ts';

/** The model that is built in, and needs neither endpoint nor key. */
export const ECHO = 'echo';

export class ModelTable implements Models {
  readonly #echo = new Echo();
  readonly #endpoint: Model;

  /** `endpoint` answers to every name that is not built in. */
  constructor(endpoint: Model) {
    this.#endpoint = endpoint;
  }

  named(name: string): Model {
    return name === ECHO ? this.#echo : this.#endpoint;
  }
}
