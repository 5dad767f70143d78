import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  itsManifest,
  managerBinding,
  wdsManifest,
} from '../../../../../src/lib/spaces/space/space-manifests.ts';

/*
 * The output of `helm template` for core-chart/templates/controlplanes/{its,wds}.yaml of KubeStellar 0.29 and 0.30. They differ
 * only in the name of the variable for the key of a Secret; ours has both names, of which a hook uses the one that it knows.
 */
const chartsIts = (type: 'vcluster' | 'host' | 'external', installClusteradm = true) => {
  const [name, key] =
    type === 'vcluster'
      ? ['vc-vcluster', 'config-incluster']
      : ['admin-kubeconfig', 'kubeconfig-incluster'];
  return {
    apiVersion: 'tenancy.kflex.kubestellar.org/v1alpha1',
    kind: 'ControlPlane',
    metadata: { name: 'its1' },
    spec: {
      backend: 'shared',
      type,
      waitForPostCreateHooks: true,
      postCreateHooks: [
        ...(installClusteradm ? [{ hookName: 'its-hub-init' }] : []),
        { hookName: 'install-status-addon' },
      ],
      globalVars: { ITSSecretName: name, ITSkubeconfig: key, ITSSecretKey: key },
      // bootstrapSecret.namespace=kubeflex-system, which kflex uses as well; the chart's default is its release's namespace.
      ...(type === 'external'
        ? {
            bootstrapSecretRef: {
              name: 'its1-bootstrap',
              namespace: 'kubeflex-system',
              inClusterKey: 'kubeconfig-incluster',
            },
          }
        : {}),
    },
  };
};

const chartsWds = (type: 'k8s' | 'host', itsName: string, apiGroups: string) => ({
  apiVersion: 'tenancy.kflex.kubestellar.org/v1alpha1',
  kind: 'ControlPlane',
  metadata: { name: 'wds1' },
  spec: {
    backend: 'shared',
    type,
    waitForPostCreateHooks: true,
    postCreateHooks: [
      { hookName: 'kubestellar-controller', vars: { APIGroups: apiGroups } },
      {
        hookName: 'transport-controller',
        vars: {
          WDSSecretName: 'admin-kubeconfig',
          WDSkubeconfig: 'kubeconfig-incluster',
          WDSSecretKey: 'kubeconfig-incluster',
        },
      },
    ],
    globalVars: { ControlPlaneName: 'wds1', ITSName: itsName },
  },
});

describe("the control plane of an ITS matches the charts'", () => {
  const hooks = ['its-hub-init', 'install-status-addon'];
  for (const type of ['vcluster', 'host', 'external'] as const)
    test(`of type ${type}`, () =>
      assert.deepEqual(itsManifest('its1', type, hooks), chartsIts(type)));
  test('with install_clusteradm: false', () =>
    assert.deepEqual(
      itsManifest('its1', 'host', ['install-status-addon']),
      chartsIts('host', false),
    ));
});

describe("the control plane of a WDS matches the charts'", () => {
  for (const type of ['k8s', 'host'] as const)
    test(`of type ${type}`, () =>
      assert.deepEqual(
        wdsManifest(
          { name: 'wds1', type, itsName: undefined, apiGroups: ['apps', 'batch'] },
          { itsName: 'its1', transportHook: 'transport-controller' },
        ),
        chartsWds(type, 'its1', 'apps,batch'),
      ));
});

test('the manager gets the same permissions as from the chart, which may adopt them', () =>
  assert.deepEqual(managerBinding(), {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: {
      name: 'kubeflex-manager-cluster-admin-rolebinding',
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        'meta.helm.sh/release-name': 'ks-core',
        'meta.helm.sh/release-namespace': 'default',
      },
    },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [
      { kind: 'ServiceAccount', name: 'kubeflex-controller-manager', namespace: 'kubeflex-system' },
    ],
  }));
