/** Which tokenizer a model reads with. */

export type Encoding = 'o200k_base' | 'cl100k_base';

/** What turns are counted in when they are stored, whatever model will read them. */
export const STORED_ENCODING: Encoding = 'o200k_base';

/** Families that read cl100k_base, by how their names begin; `gpt-4o` and `gpt-4.1` are none of them. */
const CL100K = /^(gpt-4(?![\w.])|gpt-3\.5|gpt-35|text-embedding-3|text-embedding-ada-002)/;

/**
 * The encoding of a model, by its name; `openai/gpt-4` and `ft:gpt-4:…` are `gpt-4`. A family nobody knows is
 * counted as o200k_base: the vocabularies of today are about as large, so it is the best guess there is.
 */
export function encodingOf(model: string): Encoding {
  const name = model
    .slice(model.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/^ft:/, '');
  return CL100K.test(name) ? 'cl100k_base' : 'o200k_base';
}
