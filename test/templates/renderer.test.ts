import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ParleyError } from '../../src/errors.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { TemplateRenderer } from '../../src/templates/renderer.ts';
import { childrenOf } from '../bench/processes.ts';
import { aRequester } from './requester.ts';

const templates = new TemplateRenderer();
afterAll(() => templates.close());

const DATA: JsonObject = {
  session: { session_id: 's1', turn_count: 3 },
  metadata: JSON.parse('{"tags":["a","b"],"__proto__":"kept","constructor":"mine"}'),
  user: null,
  now: '2026-11-22T21:50:07Z',
};

/** The text, or what was refused. */
async function rendered(template: string, data = DATA): Promise<string> {
  try {
    return await templates.render(template, data, 'situation', aRequester());
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    return `${error.code} ${error.reason} ${error.message}`;
  }
}

const REFUSED = 'FAILED_PRECONDITION TEMPLATE_INVALID situation:';

describe('renders', () => {
  test.each([
    ['{{ session.session_id }} has {{ session.turn_count + 1 }}', 's1 has 4'],
    ['{% for tag in metadata.tags %}\n- {{ tag }}\n{% endfor %}\nend', '- a\n- b\nend'],
    ['{{ metadata["__proto__"] }} {{ metadata.constructor }}', 'kept mine'],
    ['{{ metadata.tags | tojson }}', '["a", "b"]'],
    ['{{ now }}, {{ now[:10] }}', '2026-11-22T21:50:07Z, 2026-11-22'],
    [
      '{{ strftime_now("%A, %d %B %Y %H:%M:%S %a %b %m 100%% %q") }}',
      'Sunday, 22 November 2026 21:50:07 Sun Nov 11 100% %q',
    ],
    ['{{ range(3) }}{{ range(1, 3) }}{{ range(6, 0, -2) }}', '[0, 1, 2][1, 2][6, 4, 2]'],
    ['{% if user %}hello{% else %}nobody{% endif %}', 'nobody'],
    ['[{{ user }}{{ missing }}{{ missing.too }}{{ user.name }}]', '[]'],
    ['no template {', 'no template {'],
    ['kept as it is\n', 'kept as it is\n'],
  ])('%s', async (template, text) => {
    expect(await rendered(template)).toBe(text);
  });
});

describe('what fails on data is refused, and says why', () => {
  test.each([
    ['{{ raise_exception("no user") }}', 'no user'],
    ['{{ user + 1 }}', 'Cannot perform operation on null values'],
    ['{{ missing() }}', 'Cannot call something that is not a function: got undefined'],
    ['{{ 5 | upper }}', 'Unknown number filter: upper'],
    ['{{ [] | first }}', 'uses something that is not there'],
    ['{% break %}', 'uses break or continue outside of a loop'],
    ['{{ range(1, 2, 0) }}', 'range() goes nowhere by a step of zero'],
    ['{{ range("a") }}', 'range() takes one to three whole numbers'],
    ['a\n{{ b', 'line 2, column 1: this {{ is never closed'],
  ])('%s', async (template, why) => {
    expect(await rendered(template)).toBe(`${REFUSED} ${why}`);
  });
});

describe('nothing but the data can be reached', () => {
  test.each([
    "{{ ''.constructor }}{{ [].constructor }}{{ (1).constructor }}{{ session.constructor }}",
    '{{ __proto__ }}{{ session.__proto__ }}{{ session.__class__ }}{{ range.constructor }}{{ range.__globals__ }}',
    '{{ globalThis }}{{ process }}{{ require }}{{ self }}{{ this }}{{ import }}',
    '{{ session.get.constructor }}{{ session.items.caller }}{{ session["constructor"]["constructor"] }}',
    '{% set x = namespace() %}{% set x.__proto__ = {"y": "polluted"} %}{{ x.y }}{{ {}.y }}{{ session.y }}',
  ])('%s', async (template) => {
    expect(await rendered(template)).toBe('');
  });

  test('data cannot be written to', async () => {
    expect(await rendered('{% set session.__proto__.y = 1 %}')).toBe(
      `${REFUSED} cannot assign attribute on non-namespace object`,
    );
  });
});

const GROWN =
  '{% set x = namespace(s="aaaaaaaa") %}{% for i in range(12) %}{% set x.s = x.s ~ x.s %}{% endfor %}';

describe('a runaway is stopped, and the next template renders', () => {
  test.each([
    ['a list without end', '{% for i in range(1000000000) %}x{% endfor %}'],
    [
      'a loop without end',
      `{% for i in range(60000) %}${'{% for j in range(60000) %}'.repeat(3)}{% endfor %}${'{% endfor %}'.repeat(3)}`,
    ],
    [
      'a string that doubles',
      '{% set x = namespace(s="aa") %}{% for i in range(40) %}{% set x.s = x.s ~ x.s %}{% endfor %}',
    ],
    [
      'a list that doubles',
      '{% set x = namespace(l=[1]) %}{% for i in range(40) %}{% set x.l = x.l + x.l %}{% endfor %}',
    ],
    [
      'a list of lists',
      '{% set x = namespace(l=[]) %}{% for i in range(9999) %}{% set x.l = x.l + [range(60000)] %}{% endfor %}',
    ],
    ['a macro that calls itself', '{% macro f(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}'],
    ['a string blown up in one step', `${GROWN}{{ x.s.replace("a", x.s[:9000]) | length }}`],
    ['a width out of all proportion', '{{ ("a\nb\nc" | indent(170000000)) | upper | length }}'],
    ['whitespace the library trips over', `${' '.repeat(60_000)}{{ 1 }}`],
    ['a text too long', `{% for i in range(60000) %}${'xy'.repeat(50)}{% endfor %}`],
  ])('%s', async (_name, template) => {
    const [refused, next, compiles] = await Promise.all([
      rendered(template),
      rendered('{{ 1 + 1 }}'),
      templates.check('{{ a', aRequester()),
    ]);
    expect(refused).toContain(REFUSED);
    expect([next, compiles?.column]).toEqual(['2', 1]);
  });

  test('while it runs, the server is not held up', async () => {
    let longest = 0;
    let last = performance.now();
    const ticks = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    await rendered(`${' '.repeat(60_000)}{{ 1 }}`);
    clearInterval(ticks);
    expect(longest).toBeLessThan(500);
  });
});

describe('of the templates that wait', () => {
  /** Takes a tenth of a second or so. */
  const COSTLY = '{% for i in range(25000) %}{% set x = range(9) %}{% endfor %}';
  /** Takes its process with it. */
  const DEADLY = `${' '.repeat(60_000)}{{ 1 }}`;

  /** A renderer of its own, and which process it has. */
  async function stage() {
    const before = new Set(childrenOf(process.pid));
    const renderer = new TemplateRenderer();
    onTestFinished(() => renderer.close());
    const render = (template: string, namespace: string, signal?: AbortSignal) =>
      renderer.render(template, {}, 'situation', aRequester(namespace, signal));
    await render('{{ 1 }}', 'a');
    return { render, renderer, children: () => childrenOf(process.pid).filter((pid) => !before.has(pid)) };
  }

  test('those of one namespace delay another by one', async () => {
    const { render } = await stage();
    const done: string[] = [];
    const costly = [1, 2, 3, 4].map((n) => render(COSTLY, 'a').then(() => done.push(`a${n}`)));
    const others = ['b', 'c'].map((name) => render('{{ 1 }}', name).then(() => done.push(name)));
    await Promise.all([...costly, ...others]);
    expect(done).toEqual(['a1', 'b', 'c', 'a2', 'a3', 'a4']);
  });

  test('none begins whose requester is gone, who hears at once', async () => {
    const { render, renderer, children } = await stage();
    const before = children();
    const leaver = new AbortController();
    const happened: string[] = [];
    const running = render(COSTLY, 'a').then(() => happened.push('done'));
    const waiting = ['a', 'a', 'b'].map((name) => render(DEADLY, name, leaver.signal));
    const checking = renderer.check(DEADLY, aRequester('c', leaver.signal));
    leaver.abort(new Error('gone'));
    const late = render(DEADLY, 'd', leaver.signal);
    for (const job of [...waiting, checking, late]) await expect(job).rejects.toThrow('gone');
    expect(happened).toEqual([]);
    await running;
    expect(await render('{{ 2 }}', 'a')).toBe('2');
    expect(children()).toEqual(before);
  });

  test('one that has begun runs to its end, whether or not its requester is there', async () => {
    const { render, children } = await stage();
    const before = children();
    const leaver = new AbortController();
    const running = render(COSTLY, 'a', leaver.signal);
    leaver.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
    expect(await render('{{ 2 }}', 'a')).toBe('2');
    expect(children()).toEqual(before);
  });
});

test('a rendered text has a size', async () => {
  const data = { text: 'é'.repeat(32 * 1024) };
  expect(await rendered('{{ text }}', data)).toBe(data.text);
  expect(await rendered('{{ text }}!', data)).toBe(`${REFUSED} renders more than 65536 bytes`);
});

describe('who is not to blame is served', () => {
  /** Nothing else happens in this process meanwhile. */
  const stall = (time: number) => execFileSync('sleep', [String(time / 1000)]);

  test('when this process is late to read that a template is done', async () => {
    const renderer = new TemplateRenderer();
    onTestFinished(() => renderer.close());
    await renderer.render('{{ 1 }}', {}, '', aRequester());
    const before = childrenOf(process.pid);
    const late = renderer.render('{{ 2 }}', {}, '', aRequester());
    stall(1500); // longer than a template may take
    const next = renderer.render('{{ 3 }}', {}, '', aRequester());
    expect(await Promise.all([late, next])).toEqual(['2', '3']);
    expect(childrenOf(process.pid)).toEqual(before);
  });

  test('when the process of the templates has died meanwhile', async () => {
    const before = new Set(childrenOf(process.pid));
    const renderer = new TemplateRenderer();
    onTestFinished(() => renderer.close());
    await renderer.render('{{ 1 }}', {}, '', aRequester());
    const child = childrenOf(process.pid).find((pid) => !before.has(pid))!;
    process.kill(child, 'SIGKILL');
    stall(500); // so that it is gone, and nobody here has heard of it
    expect(await renderer.render('{{ 2 }}', {}, '', aRequester())).toBe('2');
  });
});

describe('a process that is killed while it starts', () => {
  /** Begins to render, and kills as many processes, one after the other, before they do. */
  async function killed(times: number): Promise<string> {
    const before = new Set(childrenOf(process.pid));
    const renderer = new TemplateRenderer();
    onTestFinished(() => renderer.close());
    const rendering = renderer.render('{{ 1 }}', {}, '', aRequester()).catch(({ message }: Error) => message);
    for (let time = 0; time < times; time++) {
      const child = await vi.waitUntil(() => childrenOf(process.pid).find((pid) => !before.has(pid)), 5000);
      before.add(child);
      process.kill(child, 'SIGKILL');
    }
    return rendering;
  }

  test('is started again', async () => {
    expect(await killed(1)).toBe('1');
  });

  test('is given up when that happens again', async () => {
    expect(await killed(2)).toBe('the template process does not start');
  });
});

test('an idle renderer keeps no program from ending', () => {
  const program = `
    import { TemplateRenderer } from './src/templates/renderer.ts';
    const requester = { namespace: 'default', signal: new AbortController().signal };
    console.log(await new TemplateRenderer().render('{{ 1 }}', {}, '', requester));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000 });
  expect(String(output)).toBe('1\n');
});

test('a closed one refuses what waits and what comes', async () => {
  const closed = new TemplateRenderer();
  const waiting = [closed.render('{{ 1 }}', {}, '', aRequester()), closed.check('{{ 1 }}', aRequester())].map(
    (job) => job.catch(({ reason }: ParleyError) => reason),
  );
  closed.close();
  const late = closed.check('{{ 1 }}', aRequester()).catch(({ reason }: ParleyError) => reason);
  expect(await Promise.all([...waiting, late])).toEqual(Array(3).fill('SERVER_STOPPING'));
});
