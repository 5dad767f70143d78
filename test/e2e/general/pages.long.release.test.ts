/**
 * The commands of README and docs/ work as written: one installation, from the first page to the last. Commands run unchanged,
 * except for what a test cannot have: charts come from the test bed, the port of the hosting cluster is a free one, and commands
 * that prompt get --yes.
 */
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import {
  type Bed,
  buildHelm,
  chartOf,
  currentChart,
  freePort,
  ingressChart,
  localClusterTools,
  runKubectl,
  startBed,
} from '../../../testbed/index.ts';
import { type Block, blocksOf, commandsOf, type Typed, typedIn, walkedPages } from '../../pages.ts';
import { settled } from '../support/golden/settled.ts';
import { Cli } from '../support/harness.ts';
import { rowOptions } from '../support/in-release.ts';

let bed: Bed;
let cli: Cli;
let env: Record<string, string>;
/** Options that a command needs in a test, by the beginning of the command. */
let added: [command: RegExp, options: string[]][];

before(async () => {
  bed = await startBed({ planes: [] });
  const [helm, tools, port] = await Promise.all([buildHelm(), localClusterTools(bed), freePort()]);
  cli = await Cli.create('');
  await cp(await chartOf(currentChart), path.join(cli.home, 'core-chart.tgz'));
  await cp(ingressChart, path.join(cli.home, 'traefik'), { recursive: true });
  env = {
    KUBECONFIG: path.join(cli.home, 'kubeconfig'),
    PATH: [tools.path, helm, process.env.PATH].join(path.delimiter),
  };
  added = [
    [/^init /, ['--chart', 'core-chart.tgz']],
    [/^init --provider /, ['--external-port', String(port), '--ingress', './traefik']],
    [/^(?:policy delete|deregister|fleet apply|wec (?:delete|grant|revoke)) /, ['--yes']],
    [/^policy delete /, ['--wds', 'wds1']],
  ];
  // Files are named relative to the working folder, as a user names them.
  process.chdir(cli.home);
});

after(async () => {
  process.chdir(import.meta.dirname);
  await cli?.remove();
  await bed?.stop();
});

/** What other pages and tests do not do. */
const inCi = [
  'README.md',
  ...['registration', 'fleets', 'customization'].map((name) => `docs/${name}.md`),
];

for (const page of walkedPages)
  describe(page, { concurrency: 1, ...rowOptions({ inCi: inCi.includes(page) }) }, () => {
    for (const block of blocksOf(page)) {
      const file =
        block.language === 'yaml' ? /^# (\S+\.yaml)$/.exec(block.lines[0] ?? '')?.[1] : undefined;
      if (file !== undefined) it(file, () => writeFile(file, block.lines.join('\n')));
      for (const typed of typedIn(block))
        it(typed.text, { skip: block.notRun ?? false }, () => runTyped(block, typed));
    }
  });

async function runTyped({ language, place }: Block, { text, output }: Typed) {
  let printed = '';
  for (const words of commandsOf(text)) printed += await run(words);
  if (language === 'console')
    assert.match(comparable(printed), patternOf(output), `${place}: it prints\n${printed}`);
}

/** @returns its output on a terminal */
async function run([program = '', ...given]: readonly string[]) {
  if (program === 'kubectl')
    return (await runKubectl(env.KUBECONFIG ?? '', given)).replace(/(?<!\n)$/, '\n');
  if (program !== 'stellarctl')
    return (await execa(program, given, { env: cli.environment({ env }), all: true })).all;
  const line = given.join(' ');
  const options = added.flatMap(([command, those]) => (command.test(`${line} `) ? those : []));
  // Pages show lines as they are, not where a terminal breaks them.
  const { exitCode, screen } = await cli.runOnTerminal([...given, ...options], {
    env,
    columns: 400,
  });
  const printed = stripVTControlCharacters(settled(screen));
  assert.equal(exitCode, 0, printed);
  return printed;
}

/** The output that a page shows, as a pattern; `…` on a line of its own matches any lines. */
function patternOf(output: readonly string[]): RegExp {
  const escaped = comparable(output.map((line) => `${line}\n`).join('')).replace(
    /[\\^$.*+?()[\]{}|]/g,
    '\\$&',
  );
  return new RegExp(`^${escaped.replace(/^…\n/gm, '(?:.*\\n)*')}$`);
}

/** Without what differs between runs: ports, durations, and the order of readiness. */
const comparable = (text: string) =>
  text
    .replace(/:\d{4,5}\b/g, ':PORT')
    .replace(/ {3}\d+\.\ds$/gm, '   DURATION')
    .replace(/(?:^.* {3}DURATION\n)+/gm, (lines) => lines.match(/.*\n/g)?.sort().join('') ?? '');
