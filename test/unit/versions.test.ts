import './support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { compareVersions, findVersion } from '../../src/lib/core/text/version.ts';

test('versions are compared as versions, not as strings', () => {
  const ascending = [
    '0.9.3',
    '0.10.0-alpha',
    '0.10.0-alpha.2',
    '0.10.0-alpha.10',
    '0.10.0-alpha.beta',
    '0.10.0-rc.1',
    '0.10.0',
    '0.100.0',
    '3.9',
    'v3.14.0+gabc',
    '3.14.1',
    'v3.22',
    '28.2.2',
  ];
  for (const [index, version] of ascending.entries()) {
    for (const later of ascending.slice(index + 1)) {
      assert.ok(compareVersions(version, later) < 0, `${version} < ${later}`);
      assert.ok(compareVersions(later, version) > 0, `${later} > ${version}`);
    }
  }
  assert.equal(compareVersions('v3.14', '3.14.0+build'), 0);
});

test('a version is found in the output of programs', () => {
  const prints: [output: string, version: string | undefined][] = [
    ['v3.16.4', '3.16.4'],
    ['v3.22', '3.22'],
    ['kind v0.31.0 go1.25.5 linux/amd64', '0.31.0'],
    ['k3d version v5.8.3\nk3s version v1.31.5-k3s1 (default)', '5.8.3'],
    ['Docker version 28.2.2, build e6534b4', '28.2.2'],
    ['podman version 5.4.0', '5.4.0'],
    ['command not understood', undefined],
  ];
  for (const [output, version] of prints) assert.equal(findVersion(output), version);
});
