import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { ProgramRun } from '../../../../src/lib/core/program.ts';
import { checkInit, checkJoin } from '../../../../src/lib/doctor/preflight.ts';
import {
  hostingChecks,
  hostingState,
  programChecks,
} from '../../../../src/lib/doctor/preflight-checks.ts';
import { hiddenBy, seen } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { fakeKube, run } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

/** A machine with these programs, each a shell script. */
function machineWith(scripts: Record<string, string> = {}): ProgramRun {
  const folder = temporaryFolder();
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...run(60_000), env: { PATH: folder }, sendSignal: process.kill };
}

describe('a cluster is a hosting cluster', () => {
  const isHosting = (...kinds: string[]) => {
    const definitions = kinds.map((plural) => ({
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.tenancy.kflex.kubestellar.org` },
    }));
    return hostingState(new MemoryCluster(definitions).kube).isHosting();
  };

  test('only with all kinds of KubeFlex, in any state', async () => {
    assert.equal(await isHosting('controlplanes', 'postcreatehooks'), true);
    assert.equal(await isHosting('controlplanes'), false);
    assert.equal(await isHosting('postcreatehooks'), false);
    assert.equal(await isHosting(), false);
  });
});

describe('a program of local clusters', () => {
  const judged = async (id: string, scripts: Record<string, string>, hasHosting = false) => {
    const needs = {
      programs: machineWith(scripts),
      needsHelm: async () => false,
      isHosting: async () => hasHosting,
    };
    const outcome = await programChecks.find((check) => check.id === id)?.run(needs);
    assert.ok(outcome);
    return outcome.status === 'pass'
      ? outcome
      : { status: outcome.status, message: outcome.problem.message };
  };

  test('that is missing is not needed by everybody', async () => {
    for (const id of ['kind', 'k3d'])
      assert.deepEqual(await judged(id, {}), {
        status: 'skipped',
        message: `it is not on PATH; needed by init --provider ${id} and wec create --provider ${id} only`,
      });
  });

  test('docker that does not answer is no step of a hosting cluster that exists', async () => {
    const silent = { docker: '[ "$1" = --version ] && echo Docker version 28.0.0 || exit 1' };
    assert.deepEqual(await judged('docker', silent), {
      status: 'warn',
      message: 'its daemon does not answer; needed by kind and k3d',
    });
    assert.equal((await judged('docker', silent, true)).status, 'skipped');
  });

  test('passes with its version, and is a warning if it is too old', async () => {
    assert.deepEqual(await judged('kind', { kind: 'echo kind v0.31.0 go1.25 linux/amd64' }), {
      ...{ status: 'pass', found: '0.31.0' },
    });
    const old = await judged('kind', { kind: 'echo kind v0.19.0 go1.20 linux/amd64' });
    assert.equal(old.status, 'warn');
    assert.match(
      'message' in old ? old.message : '',
      /^it is 0\.19\.0 \(.*\); needed by init --provider kind/,
    );
  });
});

describe('before an installation', () => {
  const silent = fakeKube({
    cluster: { context: 'kind-kubeflex', server: 'https://127.0.0.1:1' },
    read: () => Promise.reject(new StellarError('unreachable', 'Cannot reach it.')),
  });
  const examined = async (
    found: Kube | StellarError | undefined,
    its?: Kube,
    wec?: Kube,
    programs = machineWith(),
  ) => {
    const wecs = wec === undefined ? [] : [{ name: 'c1', kube: wec }];
    const chosen = its && { kube: its, context: { name: 'its1', cluster: {}, user: {} } as never };
    const hosting = found && (found instanceof StellarError ? hiddenBy(found) : seen(found));
    const input = {
      programs,
      hosting,
      its: chosen && seen(chosen),
      wecs,
      joinOptions: { accept: false, labels: {} },
    };
    const all = await (its ? checkJoin(input, run()) : checkInit(input, run()));
    if (its === undefined) assert.deepEqual(all.shift()?.subject, { kind: 'machine', name: '' });
    return all.map(({ subject: { kind, name }, findings }) => ({
      of: `${kind} ${name}`.trim(),
      findings: findings.map(({ id, ...outcome }) =>
        outcome.status === 'pass'
          ? `${id}: pass`
          : `${id}: ${outcome.status}, ${outcome.problem.message}`,
      ),
    }));
  };

  test('a hosting cluster that does not answer has failed, and its other checks are listed as skipped', async () => {
    const others = hostingChecks.map(({ id }) => `${id}: skipped, it does not answer`);
    assert.ok(others.some((finding) => finding.startsWith('hosting:')));
    assert.deepEqual(await examined(silent), [
      {
        of: 'hosting kind-kubeflex',
        findings: ['hosting-reachable: fail, Cannot reach it.', ...others],
      },
    ]);
  });

  test('of a WEC, the ITS is examined, and neither this machine nor the hosting cluster', async () => {
    const [its] = await examined(silent, silent);
    assert.deepEqual(its, {
      of: 'its kind-kubeflex',
      findings: ['its-reachable: fail, Cannot reach it.', 'its: skipped, it does not answer'],
    });
  });

  const node = {
    metadata: { name: 'n' },
    status: { allocatable: { cpu: '2', memory: '8Gi', pods: '110' } },
  };
  const of = (kinds: Record<string, object[]>, allowed = true) =>
    fakeKube({
      read: async () => ({ gitVersion: 'v1.34.0' }),
      get: async ({ plural }) => kinds[plural]?.[0],
      list: async ({ plural }) => kinds[plural],
      mayI: async () => allowed,
    });
  const judged = async (wec: Kube, its?: Kube) =>
    (await examined(undefined, its, wec)).at(-1)?.findings ?? [];
  const noIts = 'wec-join: skipped, no ITS was chosen';
  const wrong = (findings: string[]) =>
    findings.filter((finding) => !finding.endsWith(': pass') && finding !== noIts);

  test('a cluster to register is one', async () => {
    assert.deepEqual(await judged(of({ nodes: [node], pods: [] })), [
      ...['wec-reachable', 'wec-permissions', 'wec-role'].map((id) => `${id}: pass`),
      noIts,
    ]);
    const [role] = wrong(await judged(of({ nodes: [], pods: [], bindingpolicies: [] })));
    assert.match(role ?? '', /^wec-role: fail, .* it is a WDS/);
  });

  test('a cluster to register is not registered under another name', async () => {
    const wrongWith = async (name: string, clusterName: string) => {
      const klusterlets = [{ metadata: { name }, spec: { clusterName } }];
      return wrong(await judged(of({ nodes: [node], pods: [], klusterlets })));
    };
    assert.deepEqual(await wrongWith('klusterlet', 'c1'), []);
    assert.match(
      (await wrongWith('klusterlet', 'c9')).join(),
      /^wec-role: fail, .* is registered already, under the name c9/,
    );
    assert.match(
      (await wrongWith('other', 'c1')).join(),
      /^wec-role: fail, .* by a Klusterlet other that stellarctl did not install/,
    );
  });

  test('a user without rights may not register a cluster', async () => {
    const [finding, ...others] = wrong(await judged(of({ nodes: [node], pods: [] }, false)));
    assert.match(
      finding ?? '',
      /^wec-permissions: fail, Not allowed on .*: .*create secrets in open-cluster-management/,
    );
    assert.deepEqual(others, []);
  });

  test('what depends on an ITS that is none is not reported again', async () => {
    const none = fakeKube({ read: async () => undefined, get: async () => undefined });
    const [finding] = wrong(await judged(of({ nodes: [node], pods: [] }), none));
    assert.match(finding ?? '', /^wec-join: skipped, depends on "it is an ITS"/);
  });

  test('a hosting cluster that is not found has failed', async () => {
    const missing = new StellarError('usage', 'There is no such context.');
    assert.deepEqual(await examined(missing), [
      { of: 'hosting', findings: ['hosting-reachable: fail, There is no such context.'] },
    ]);
  });

  const scripts = {
    helm: 'echo v3.16.0+g1',
    docker: 'echo Docker version 28.0.0',
    kind: 'echo kind v0.31.0 go1.25 linux/amd64',
    k3d: 'echo k3d version v5.8.0',
  };
  const none = 'no cluster is given, and there is no current context';
  const cases: [present: (keyof typeof scripts)[], finding: string][] = [
    [['helm', 'docker', 'kind'], `skipped, ${none}`],
    [['helm', 'docker', 'k3d'], `skipped, ${none}`],
    [['helm', 'kind'], `fail, ${none}; to create one, docker must work`],
    [['docker'], `fail, ${none}; to create one, helm and kind must work`],
  ];
  for (const [present, finding] of cases)
    test(`without a hosting cluster, ${finding.split(',')[0]} with ${present.join(', ')}`, async () => {
      const programs = machineWith(
        Object.fromEntries(present.map((name) => [name, scripts[name]])),
      );
      const [hosting] = await examined(undefined, undefined, undefined, programs);
      assert.deepEqual(hosting, { of: 'hosting', findings: [`hosting-reachable: ${finding}`] });
    });

  test('the checks of a hosting cluster that answers are run', async () => {
    const { kube } = new MemoryCluster([], { read: async () => ({ gitVersion: 'v1.34.0' }) });
    const [hosting] = await examined(kube);
    assert.deepEqual(hosting?.findings.slice(0, 2), [
      'hosting-reachable: pass',
      'hosting: skipped, KubeStellar is not installed on it',
    ]);
  });
});
