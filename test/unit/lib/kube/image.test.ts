import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { imageVersion, inRegistry, parseImage } from '../../../../src/lib/kube/image.ts';

describe('an image reference is parsed:', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const cases: Record<
    string,
    [registry: string, repository: string, tag: string | undefined] | undefined
  > = {
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

test('the version of an image is that of its tag', () => {
  assert.equal(
    imageVersion('quay.io/open-cluster-management/registration-operator:v1.3.1'),
    '1.3.1',
  );
  assert.equal(imageVersion('quay.io/open-cluster-management/registration-operator'), undefined);
  assert.equal(imageVersion(undefined), undefined);
});

describe('in another registry, a reference keeps its path:', () => {
  const cases = {
    'quay.io/kubestellar/kubectl:1.32': 'registry.example/mirror/kubestellar/kubectl:1.32',
    'localhost/kubectl': 'registry.example/mirror/kubectl',
    'localhost:5000/kubectl@sha256:0': 'registry.example/mirror/kubectl@sha256:0',
    'rancher/k3s:v1.27.2-k3s1': 'registry.example/mirror/rancher/k3s:v1.27.2-k3s1',
    'nginx:1.27': 'registry.example/mirror/library/nginx:1.27',
    'docker.io/nginx:1.27': 'registry.example/mirror/library/nginx:1.27',
    'docker.io/rancher/k3s:v1': 'registry.example/mirror/rancher/k3s:v1',
    'registry.example/mirror/kubestellar/kubectl:1.32':
      'registry.example/mirror/kubestellar/kubectl:1.32',
    'registry.example/mirrored/kubectl': 'registry.example/mirror/mirrored/kubectl',
  };
  for (const [reference, expected] of Object.entries(cases))
    test(reference, () => assert.equal(inRegistry(reference, 'registry.example/mirror'), expected));
});
