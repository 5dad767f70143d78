import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { versionOf } from '../../../../src/lib/kube/image.ts';
import { isOcmVersion, tagOf } from '../../../../src/lib/ocm/model/ocm-names.ts';

test('a version and the tag of its images convert to each other', () => {
  assert.deepEqual(['1.3.1', 'v1.3.1', 'latest', 'main-abc'].map(tagOf), [
    'v1.3.1',
    'v1.3.1',
    'latest',
    'main-abc',
  ]);
  assert.deepEqual(['v1.3.1', '1.3.1', 'latest', 'version'].map(versionOf), [
    '1.3.1',
    '1.3.1',
    'latest',
    'version',
  ]);
});

test('a version of OCM is distinguished from other tags', () => {
  for (const version of ['1.3.1', 'v1.3.1', '0.16.0', '1.4.0-rc.1', '9.9.9-missing'])
    assert.ok(isOcmVersion(version), version);
  for (const other of [
    'banana',
    '',
    '1',
    '1.3',
    'latest',
    '1.3.1;reboot',
    '1.3.1-',
    'v1.3.1\n',
    ' 1.3.1',
  ])
    assert.ok(!isOcmVersion(other), JSON.stringify(other));
});
