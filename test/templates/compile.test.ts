import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile, DoesNotCompile } from '../../src/templates/compile.ts';
import { tokenize } from '../../src/templates/jinja.ts';
import { scan } from '../../src/templates/scan.ts';

/** `line:column description`, or `compiles`. */
function verdict(template: string): string {
  try {
    compile(template);
    return 'compiles';
  } catch (error) {
    const { line, column, description } = (error as DoesNotCompile).problem;
    return `${line}:${column} ${description}`;
  }
}

describe('a template that does not compile says what is wrong, and where', () => {
  test.each([
    ['{{ a b }}', '1:6 expected }}, found b'],
    ['{{ a }', '1:6 expected }}, found }'],
    ['{{ (1 }}', '1:7 expected ), found }}'],
    ['{{ }}', '1:4 unexpected }}'],
    ['{{ a. }}', '1:7 unexpected }}'],
    ['{{ {"a": {"b": 1}} x }}', '1:20 expected }}, found x'],
    ['{{ a "text" }}', '1:6 expected }}, found a string'],
    ['{% set x = %}', '1:12 unexpected %}'],
    ['{% if %}x{% endif %}', '1:7 unexpected %}'],
    ['{% for x of y %}{% endfor %}', '1:10 expected `in` keyword following loop variable'],
    ['{% for 1 in x %}{% endfor %}', '1:10 expected identifier/tuple for the loop variable'],
  ])('an expression that goes wrong: %s', (template, expected) => {
    expect(verdict(template)).toBe(expected);
  });

  test.each([
    ['{{ a', '1:1 this {{ is never closed'],
    ['ab {%', '1:4 this {% is never closed'],
    ['{# abc', '1:1 this comment is never closed'],
    ['{{ "abc }}', '1:4 this string is never closed'],
    ['{% if x %}abc', '1:1 this {% if %} is never closed'],
    ['{% if x %}{% for y in x %}{% endfor %}', '1:1 this {% if %} is never closed'],
    ['{% if x %}{% for y in x %}{{ y }}', '1:11 this {% for %} is never closed'],
    ['{% set x %}a', '1:1 this {% set %} is never closed'],
    ['{% set x = 1 %}{% filter upper %}a', '1:16 this {% filter %} is never closed'],
  ])('what is never closed: %s', (template, expected) => {
    expect(verdict(template)).toBe(expected);
  });

  test.each([
    ['{% foo %}', '1:4 there is no tag {% foo %}'],
    ['{% endif %}', '1:4 {% endif %} belongs to no open block'],
    ['{% for x in y %}{% endif %}', '1:20 {% endif %} belongs to no open block'],
    ['{{ a | shout }}', '1:8 there is no filter shout'],
    ['{{ a is tall }}', '1:9 there is no test tall'],
    ['{{ a is not tall }}', '1:13 there is no test tall'],
  ])('a name that is none: %s', (template, expected) => {
    expect(verdict(template)).toBe(expected);
  });

  test.each([
    ['{{ é }}', '1:4 unexpected character "é"'],
    ['{{ 😀 }}', '1:4 unexpected character "😀"'],
    ['{{ "a\\q" }}', '1:6 a string knows no "q" after \\'],
    ['{{ "\\x4" }}', '1:5 a string knows no "x" after \\'],
  ])('a character that is none: %s', (template, expected) => {
    expect(verdict(template)).toBe(expected);
  });

  test.each([
    ['on a later line', 'a\nb\n  {{ ) }}', '3:6'],
    ['lines that end with CRLF', 'a\r\nb {{ ) }}', '2:6'],
    ['a tab is one character', '\t\t{{ ) }}', '1:6'],
    ['a character beyond the BMP is one', '😀😀{{ ) }}', '1:6'],
    ['after whitespace control took a text away', '{%- if x -%}\n\n {%- endif -%}  \n {{ ) }}', '4:5'],
    ['after trimmed lines', '  {% if x %}\n  {% endif %}\n{{ ) }}', '3:4'],
    ['after a comment', '{#- }} {{ -#}\n{{ ) }}', '2:4'],
    ['inside of a tag of many lines', '{{ f(1,\n  2,\n  ) + ) }}', '3:7'],
  ])('%s', (_name, template, place) => {
    expect(verdict(template)).toBe(`${place} unexpected )`);
  });

  test('one that is nested too deeply is refused', () => {
    expect(verdict(`{{ ${'('.repeat(30_000)}1${')'.repeat(30_000)} }}`)).toBe('1:1 it is nested too deeply');
  });
});

test.each([
  '{{ a.is.b }}',
  '{{ x is not none and not x is defined }}',
  '{{ -5 - 5 | abs }} {{ 1.5 }} {{ a.0.1 }}',
  '{% for a, b in x | items if a != "}}" %}{{ loop.index }}{% else %}none{% endfor %}',
  '{% macro f(x, y=1) %}{{ x ~ y }}{% endmacro %}{{ f(*[1]) }}',
])('compiles: %s', (template) => {
  expect(verdict(template)).toBe('compiles');
});

/** Pieces that make tags, good and bad. */
const template = fc
  .array(
    fc.constantFrom(
      ...[
        '{{',
        '}}',
        '{%',
        '%}',
        '{%-',
        '-%}',
        '{{-',
        '-}}',
        '{#',
        '#}',
        '"',
        "'",
        ' ',
        '\n',
        '\t',
        '\r\n',
        '😀',
      ],
      ...[
        'a',
        'if',
        'endif',
        'is',
        '|',
        'upper',
        '(',
        ')',
        '[',
        ']',
        '{',
        '}',
        ':',
        '.',
        ',',
        '-',
        '5',
        '1.5',
        '=',
        '\\',
      ],
    ),
    { maxLength: 25 },
  )
  .map((pieces) => pieces.join(''));

test('whatever is written, a refusal points into it', () => {
  fc.assert(
    fc.property(template, (source) => {
      try {
        compile(source);
      } catch (error) {
        if (!(error instanceof DoesNotCompile)) throw error;
        const line = source.split('\n')[error.problem.line - 1]!;
        expect(error.problem.column).toBeLessThanOrEqual([...line].length + 1);
      }
    }),
    { numRuns: 5000 },
  );
});

test('the scanner knows the tokens the library knows', () => {
  const inTags = (kinds: readonly string[]) => kinds.filter((kind) => kind !== 'text').length;
  fc.assert(
    fc.property(template, (source) => {
      let tokens: ReturnType<typeof tokenize>;
      try {
        tokens = tokenize(source, { trim_blocks: true, lstrip_blocks: true });
      } catch {
        return;
      }
      const { spans, stuck } = scan(source);
      if (stuck) return; // a tag that ends with the source
      // The library has whims about a tag opened inside of another, and trims what looks like the end of one.
      if (spans.some(({ kind, at }) => kind === 'other' && /^\{[{%]/.test(source.slice(at)))) return;
      if (/-}\n|\{%}\n/.test(source)) return;
      expect(inTags(spans.map(({ kind }) => kind))).toBe(
        inTags(tokens.map(({ type }) => type.toLowerCase())),
      );
    }),
    { numRuns: 20_000, examples: [['{{{-%}{%-}}']] },
  );
});
