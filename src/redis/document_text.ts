/**
 * The text of a document as it is stored: once, in fields that together are all
 * of it, so that reading a chunk costs what the chunk costs.
 *
 * Field `n` holds the text from where chunk `n` begins to where the next one does,
 * and before it, with a blank between, how much of that chunk `n - 1` has too.
 */

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Names and values of the fields. No chunk but the next one may begin before a chunk ends. */
export function textFields(content: string, chunks: readonly Stretch[]): string[] {
  return chunks.flatMap(({ from }, index) => {
    const shared = index === 0 ? 0 : chunks[index - 1]!.to - from;
    const end = chunks[index + 1]?.from ?? content.length;
    return [String(index), `${shared} ${content.slice(from, end)}`];
  });
}

/** All of the text, of the fields by their names. */
export function wholeText(fields: ReadonlyMap<string, string>, chunks: number): string {
  let text = '';
  for (let index = 0; index < chunks; index++) text += parse(fields.get(String(index))!).text;
  return text;
}

/** The text of each chunk, of the fields by their names. */
export function chunkTexts(fields: ReadonlyMap<string, string>, chunks: number): string[] {
  return Array.from({ length: chunks }, (_, index) => {
    const [own, next] = fieldsOf(index);
    return chunkText(fields.get(own)!, fields.get(next) ?? null);
  });
}

/** The fields that hold chunk `index`. */
export function fieldsOf(index: number): [string, string] {
  return [String(index), String(index + 1)];
}

/** The text of a chunk, of the values of its fields; there is no second one of the last chunk. */
export function chunkText(own: string, next: string | null): string {
  const { text } = parse(own);
  if (next === null) return text;
  const following = parse(next);
  return text + following.text.slice(0, following.shared);
}

function parse(field: string): { readonly shared: number; readonly text: string } {
  const blank = field.indexOf(' ');
  return { shared: Number(field.slice(0, blank)), text: field.slice(blank + 1) };
}
