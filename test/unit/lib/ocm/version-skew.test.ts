import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type InstalledVersions,
  type RunningVersion,
  versionSkews,
  type Wanted,
} from '../../../../src/lib/ocm/versions/running-versions.ts';

const runs = (
  product: string,
  running: string[] | null,
  wanted: Wanted | null = null,
): RunningVersion => ({
  product,
  component: product.toLowerCase(),
  running,
  wanted,
  differs: wanted !== null && running?.some((version) => version !== wanted.version) === true,
});

const wanted = { version: '0.30.0', by: 'installed hooks' };

const installed = (changes: Partial<InstalledVersions>): InstalledVersions => ({
  hosting: {
    name: 'kind-kubeflex',
    versions: [runs('KubeFlex', ['0.9.3'])],
    hooksVersion: '0.30.0',
  },
  itses: [{ name: 'its1', versions: [runs('OCM', ['1.3.1'])] }],
  wdses: [{ name: 'wds1', versions: [runs('KubeStellar', ['0.30.0'], wanted)] }],
  wecs: [{ name: 'cluster1', versions: [runs('OCM', ['1.3.0'])], hubVersion: '1.3.1' }],
  ...changes,
});

const cases: [what: string, changes: Partial<InstalledVersions>, said: string[]][] = [
  [
    'an installation of one version is consistent, whatever the patch versions of its agents',
    {},
    [],
  ],
  [
    'unseen or missing versions are not a mismatch',
    {
      hosting: { name: 'h', versions: [runs('KubeFlex', null)], hooksVersion: null },
      itses: [{ name: 'its1', versions: [runs('OCM', null)] }],
      wecs: [
        { name: 'cluster1', versions: [runs('OCM', ['sha256:0123456789ab'])], hubVersion: '1.3.1' },
        { name: 'cluster2', versions: [runs('OCM', ['1.0.0'])], hubVersion: null },
      ],
    },
    [],
  ],
  [
    'controllers of another version than the hooks are a mismatch',
    { wdses: [{ name: 'wds1', versions: [runs('KubeStellar', ['0.29.0'], wanted)] }] },
    ['wds1 has KubeStellar running 0.29.0, installed hooks 0.30.0.'],
  ],
  [
    'an agent of another minor version than its hub is a mismatch',
    { wecs: [{ name: 'cluster1', versions: [runs('OCM', ['1.0.0'])], hubVersion: '1.3.1' }] },
    ['cluster1 has OCM 1.0.0; its ITS runs OCM 1.3.1.'],
  ],
];

for (const [what, changes, said] of cases)
  test(what, () =>
    assert.deepEqual(
      versionSkews(installed(changes)).map(({ message }) => message),
      said,
    ),
  );
