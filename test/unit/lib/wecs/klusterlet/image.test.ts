import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  imageVersion,
  isOcmVersion,
  parseImage,
  tagOf,
  versionOf,
} from '../../../../../src/lib/wecs/klusterlet/image.ts';

describe('an image reference is taken apart:', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const cases: Record<string, [registry: string, repository: string, tag: string | undefined] | undefined> = {
    'quay.io/open-cluster-management/registration:v1.3.1': [
      'quay.io/open-cluster-management',
      'registration',
      'v1.3.1',
    ],
    'localhost:5000/registration': ['localhost:5000', 'registration', undefined],
    'localhost:5000/ocm/registration:latest': ['localhost:5000/ocm', 'registration', 'latest'],
    [`quay.io/ocm/registration@${digest}`]: ['quay.io/ocm', 'registration', undefined],
    [`quay.io/ocm/registration:v1.3.1@${digest}`]: ['quay.io/ocm', 'registration', 'v1.3.1'],
    'registration:v1.3.1': undefined,
    '': undefined,
    'quay.io/ocm/': undefined,
    'quay.io/ocm/registration:': undefined,
  };
  for (const [reference, parts] of Object.entries(cases)) {
    test(reference || '(nothing)', () => {
      const image = parseImage(reference);
      assert.deepEqual(image && [image.registry, image.repository, image.tag], parts);
    });
  }
});

test('a version and the tag of its images are made of each other', () => {
  assert.deepEqual(['1.3.1', 'v1.3.1', 'latest', 'main-abc'].map(tagOf), ['v1.3.1', 'v1.3.1', 'latest', 'main-abc']);
  assert.deepEqual(['v1.3.1', '1.3.1', 'latest', 'version'].map(versionOf), ['1.3.1', '1.3.1', 'latest', 'version']);
});

test('the version of an image is that of its tag', () => {
  assert.equal(imageVersion('quay.io/open-cluster-management/registration-operator:v1.3.1'), '1.3.1');
  assert.equal(imageVersion('quay.io/open-cluster-management/registration-operator'), undefined);
  assert.equal(imageVersion(undefined), undefined);
});

test('a version of OCM is told from other tags', () => {
  for (const version of ['1.3.1', 'v1.3.1', '0.16.0', '1.4.0-rc.1', '9.9.9-missing'])
    assert.ok(isOcmVersion(version), version);
  for (const other of ['banana', '', '1', '1.3', 'latest', '1.3.1;reboot', '1.3.1-', 'v1.3.1\n', ' 1.3.1'])
    assert.ok(!isOcmVersion(other), JSON.stringify(other));
});
