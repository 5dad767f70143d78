/** The script of docs/ci.md, unchanged, with the test bed's stand-ins for kind, docker and the charts. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { parse } from 'yaml';
import {
  type Bed,
  buildHelm,
  chartOf,
  currentChart,
  findProgram,
  freePort,
  ingressChart,
  type LocalClusterTools,
  localClusterTools,
  startBed,
} from '../../../testbed/index.ts';
import { blocksOf } from '../../pages.ts';
import { bootFile } from '../../stellarctl.ts';

const blockOf = (language: string) => {
  const [first] = blocksOf('docs/ci.md').filter((block) => block.language === language);
  return `${first?.lines.join('\n')}\n`;
};

const jq = await findProgram('jq');

it('the workflow is valid YAML and runs the script', () => {
  const { jobs } = parse(blockOf('yaml'));
  const { steps } = jobs.kubestellar;
  const runs = steps.flatMap(({ run }: { run?: string }) => run ?? []);
  assert.ok(runs.includes('bash ci.sh'), runs.join(', '));
});

describe('the script of docs/ci.md', {
  skip: typeof jq === 'string' && jq,
  timeout: 900_000,
}, () => {
  let home: string;
  let bed: Bed;
  let tools: LocalClusterTools;
  let env: Record<string, string>;

  before(async () => {
    if (typeof jq === 'string') return;
    home = await mkdtemp(path.join(tmpdir(), 'stellarctl-ci-'));
    bed = await startBed({ planes: [] });
    const [helm, chart, port] = await Promise.all([buildHelm(), chartOf(currentChart), freePort()]);
    tools = await localClusterTools(bed);
    const bin = path.join(home, 'bin');
    await mkdir(bin);
    const program = (name: string, line: string) =>
      writeFile(path.join(bin, name), `#!/bin/sh\n${line} "$@"\n`, { mode: 0o755 });
    await program('stellarctl', `exec '${process.execPath}' '${bootFile}'`);
    const kubectl = path.resolve(import.meta.dirname, '../support/kubectl.ts');
    // It is built for this machine, and not in the home folder of the script.
    const machine = path.join(home, 'machine.json');
    await writeFile(machine, process.env.BED_MACHINE ?? '');
    const ofMachine = `BED_MACHINE="$(cat '${machine}')"`;
    await program('kubectl', `${ofMachine} exec '${process.execPath}' '${kubectl}'`);
    const variables = Object.entries(jq.env).map(([name, value]) => `${name}='${value}' `);
    await program('jq', `${variables.join('')}exec '${jq.path}'`);
    await cp(chart, path.join(home, 'core-chart.tgz'));
    await cp(ingressChart, path.join(home, 'traefik'), { recursive: true });
    env = {
      HOME: home,
      PATH: [bin, tools.path, helm, process.env.PATH].join(path.delimiter),
      INIT_OPTIONS: `--chart core-chart.tgz --ingress ./traefik --external-port ${port}`,
      CI: 'true',
    };
    await writeFile(path.join(home, 'ci.sh'), blockOf('bash'));
  });
  after(async () => {
    await bed?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const run = (changes: Record<string, string> = {}) =>
    execa('bash', ['ci.sh'], {
      cwd: home,
      env: { ...env, ...changes },
      extendEnv: false,
      reject: false,
      all: true,
    });

  it('exits with 0 on success and leaves no cluster', async () => {
    const { exitCode, all } = await run();
    assert.equal(exitCode, 0, all);
    assert.match(all, /^all checks passed$/m);
    assert.deepEqual(tools.clusters.all, []);
    assert.deepEqual((await readdir(home)).includes('report.tar.gz'), false);
  });

  it('exits with the exit code of the failed command, and leaves a report but no cluster', async () => {
    const script = await readFile(path.join(home, 'ci.sh'), 'utf8');
    await writeFile(
      path.join(home, 'ci.sh'),
      script.replace('its create its1', 'its create its1 --bootstrap-context its1'),
    );
    const { exitCode, all } = await run();
    assert.equal(exitCode, 2, all);
    assert.match(all, /^✗ --bootstrap-context .*--type external/m);
    assert.deepEqual(tools.clusters.all, []);
    assert.ok((await readdir(home)).includes('report.tar.gz'));
  });
});
