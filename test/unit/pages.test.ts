/** Every command in README and docs exists, with these options and this number of arguments. */
import './support/environment.ts';
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import {
  anchorsOf,
  blocksOf,
  commandsOf,
  linksOf,
  pages,
  root,
  spansOf,
  typedIn,
  walkedPages,
} from '../pages.ts';
import { commandNamed, program } from './support/program.ts';

/** A command and those below it. */
const withChildren = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withChildren),
];

/** The program's parser without its actions. @param isPartial arguments may be missing */
async function parser(isPartial: boolean): Promise<Command> {
  const root = await program();
  for (const command of withChildren(root)) {
    if (command.commands.length === 0) command.action(() => {});
    if (isPartial) for (const argument of command.registeredArguments) argument.argOptional();
  }
  return root;
}

const [whole, partial] = await Promise.all([parser(false), parser(true)]);
const nouns = whole.commands.map((child) => child.name());
const verbsOfIts = commandNamed(whole, ['its']).commands.map((child) => child.name());

it('no command has more than 16 options', () => {
  const counts = withChildren(whole).map((command) => ({
    name: command.name(),
    count: command.options.filter(({ hidden }) => !hidden).length,
  }));
  assert.deepEqual(
    counts.filter(({ count }) => count > 16),
    [],
  );
});

/** Whether words name a command without the program: `wec list`. Messages begin with "its" as well. */
const isNamed = ([noun = '', verb]: readonly string[]) =>
  nouns.includes(noun) && verb !== undefined && (noun !== 'its' || verbsOfIts.includes(verb));

/** The mistake in a stellarctl command; undefined if there is none. */
function mistakeIn(words: readonly string[], isPartial = false) {
  // Both parsers have the same options. In a part of a command they may be missing, and values may be placeholders, such as PORT.
  const options = isPartial ? withChildren(partial).flatMap(({ options }) => options) : [];
  const before = options.map((option) => [option, { ...option }] as const);
  for (const option of options) Object.assign(option, { mandatory: false, parseArg: undefined });
  try {
    (isPartial ? partial : whole).parse(words, { from: 'user' });
    return undefined;
  } catch (error) {
    const { code = '' } = error as { code?: string };
    const isFine =
      /^commander\.(helpDisplayed|version)$/.test(code) ||
      (isPartial && /^commander\.(help|optionMissingArgument)$/.test(code));
    return isFine ? undefined : String(error);
  } finally {
    for (const [option, { mandatory, parseArg }] of before)
      Object.assign(option, { mandatory, parseArg });
  }
}

/** The arguments of stellarctl, if it is the program. */
function argumentsOf([program, ...rest]: readonly string[]): readonly string[] | undefined {
  if (program === 'stellarctl') return rest;
  return program === 'kubectl' && rest[0] === 'stellar' ? rest.slice(1) : undefined;
}

const scripts = Object.keys(manifest.scripts);

/** The mistake in a command of any program. */
function mistakeOf(words: readonly string[]) {
  const given = argumentsOf(words);
  if (given !== undefined) return mistakeIn(given);
  const [program, verb = '', name = ''] = words;
  const script = verb === 'run' ? name : verb === 'test' ? verb : undefined;
  return program === 'npm' && script !== undefined && !scripts.includes(script)
    ? `no script ${script}`
    : undefined;
}

describe('a mistake in a command is found', () => {
  const wrong = [
    'wec jion cluster1',
    'wec list --colour',
    'policy get',
    'its get its1 its2',
    'wec wait --for gone a',
  ];
  for (const line of wrong) it(line, () => assert.ok(mistakeIn(line.split(' '))));
  it('but not in a part of one', () =>
    assert.equal(mistakeIn(['policy', 'create', '--dry-run'], true), undefined));
});

it('a line is split as by a shell', () =>
  assert.deepEqual(commandsOf(`A=b kubectl get -o 'x y' "$Z" 2>&1 > f | wc -l && c\\ d   # e`), [
    ['kubectl', 'get', '-o', 'x y', '$Z'],
    ['wc', '-l'],
    ['c d'],
  ]));

it('every page is tested', () =>
  assert.deepEqual(
    walkedPages.toSorted(),
    ['README.md', ...globSync('docs/*.md', { cwd: root })].sort(),
  ));

it('docs/ci.md: what asks on a terminal has --yes in its scripts', () => {
  const asks =
    /^(?:(?:label|wec properties) .*\w-(?: |$)|deregister |fleet apply |\w+ (?:delete|revoke|unguard) )/;
  const lines = blocksOf('docs/ci.md').flatMap(({ language, lines }) =>
    language === 'bash' ? lines.flatMap(commandsOf) : [],
  );
  const asking = lines
    .flatMap((words) => argumentsOf(words)?.join(' ') ?? [])
    .filter((line) => asks.test(line));
  assert.ok(asking.length > 1);
  assert.deepEqual(
    asking.filter((line) => !line.includes(' --yes')),
    [],
  );
});

for (const page of pages) {
  it(`${page}: every link within the repository works`, () => {
    const broken = linksOf(page).filter(({ file, anchor }) => {
      if (!existsSync(path.join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).has(anchor);
    });
    assert.deepEqual(broken, []);
  });

  it(`${page}: every block has a language`, () =>
    assert.deepEqual(
      blocksOf(page).filter(({ language }) => language === ''),
      [],
    ));

  it(`${page}: every command in its blocks can be typed`, () => {
    const typed = blocksOf(page).flatMap(typedIn);
    const mistakes = typed.flatMap(({ text, place }) =>
      commandsOf(text).flatMap(
        (words) => mistakeOf(words)?.replace(/^/, `${place}: ${text}: `) ?? [],
      ),
    );
    assert.deepEqual(mistakes, []);
  });

  it(`${page}: every command in its text exists`, () => {
    const mistakes = spansOf(page).flatMap(({ text, place }) => {
      const [words = []] = commandsOf(text.replace(/ ?… ?/g, ' '));
      const given = argumentsOf(words) ?? (isNamed(words) ? words : []);
      return given.length === 0
        ? []
        : (mistakeIn(given, true)?.replace(/^/, `${place}: ${text}: `) ?? []);
    });
    assert.deepEqual(mistakes, []);
  });
}
