import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../../../../../src/lib/kube/client/objects.ts';
import type { PostCreateHook } from '../../../../../src/lib/ocm/model/kubeflex-objects.ts';
import { versionsOfHooks } from '../../../../../src/lib/ocm/versions/program-versions.ts';

const hook = (name: string, image: string, args: string[] = []): PostCreateHook => {
  const template: Deployment = {
    kind: 'Deployment',
    metadata: { name },
    spec: { template: { spec: { containers: [{ name: 'main', image, args }] } } },
  };
  return { metadata: { name }, spec: { templates: [template] } };
};

const by = 'installed hooks';
const transport = (tag: string) =>
  `ghcr.io/kubestellar/kubestellar/ocm-transport-controller:${tag}`;
const clusteradm = (tag: string) => `quay.io/kubestellar/clusteradm:${tag}`;

test('hooks show which versions they give to new spaces', () => {
  const chart = 'oci://ghcr.io/kubestellar/ocm-status-addon-chart';
  const hooks = [
    hook('its-hub-init', clusteradm('1.0.0')),
    hook('install-status-addon', 'quay.io/kubestellar/helm:3.16.4', [
      'upgrade',
      chart,
      '--version',
      'v0.2.0-rc17',
    ]),
    hook('kubestellar-controller', 'ghcr.io/kubestellar/kubestellar/controller-manager:0.30.0'),
    hook('transport-controller', transport('0.30.0')),
  ];
  assert.deepEqual(versionsOfHooks(hooks), {
    controllerManager: { version: '0.30.0', by },
    transport: { version: '0.30.0', by },
    ocm: { version: '1.0', by },
    statusAddon: { version: '0.2.0-rc17', by },
    registry: undefined,
  });
});

test("the chart's own hook takes precedence over a corrected copy of an older one", () => {
  const hooks = [
    hook('stellarctl-transport-controller', transport('0.29.0')),
    hook('transport-controller', transport('0.30.0')),
  ];
  assert.equal(versionsOfHooks(hooks).transport?.version, '0.30.0');
  assert.equal(versionsOfHooks(hooks.slice(0, 1)).transport?.version, '0.29.0');
});

test('a clusteradm before 1.0 does not show which OCM it installs', () => {
  assert.equal(versionsOfHooks([hook('its-hub-init', clusteradm('0.10.1'))]).ocm, undefined);
  assert.ok(Object.values(versionsOfHooks([])).every((each) => each === undefined));
});
