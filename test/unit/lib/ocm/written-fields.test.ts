import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

/**
 * What is judged, who writes it, and where in its source: OCM v1.0.0, which KubeStellar 0.30 installs, KubeFlex v0.9.3 and
 * KubeStellar v0.30.0. What they do not write is never met, and would be waited for without end.
 */
type Written = Record<string, `${'ocm' | 'kubeflex' | 'kubestellar' | 'kubernetes'} ${string}`>;

const registration = 'ocm pkg/registration' as const;
const klusterlet = 'ocm pkg/operator/operators/klusterlet/controllers' as const;
const work = 'ocm pkg/work/spoke/controllers' as const;

const conditions: Written = {
  // On the condition of a manifest OCM writes no observedGeneration before v1.2: workloads/delivery/works.ts takes that of the work.
  Applied: `${work}/manifestcontroller/manifestwork_reconciler.go:107,229; ${klusterlet}/klusterletcontroller/klusterlet_controller.go:473`,
  Available: `${work}/statuscontroller/availablestatus_controller.go:121; ${registration}/spoke/addon/lease_controller.go:132`,
  // v1.0.0 writes it on manifests (pkg/work/spoke/conditions/rules/rule.go:14), not on works, and applies all works again.
  Complete: `${work}/statuscontroller/availablestatus_controller.go:137`,
  Deleting: `${registration}/hub/gc/gc_resources.go:68`,
  HubAcceptedManagedCluster: `${registration}/hub/managedcluster/controller.go:185`,
  HubConnectionDegraded: `${klusterlet}/ssarcontroller/klusterlet_ssar_controller.go:167`,
  ManagedClusterConditionAvailable: `${registration}/spoke/managedcluster/resource_reconcile.go:59`,
  ManagedClusterConditionClockSynced: `${registration}/hub/lease/clocksynccontroller.go:126`,
  ManagedClusterJoined: `${registration}/spoke/managedcluster/joining_reconcile.go:31`,
  Ready: 'kubeflex api/v1alpha1/conditions.go:127',
  Synced: 'kubeflex pkg/reconcilers/shared/reconciler.go:106',
  Established: 'kubernetes apiextensions/v1',
  Failed: 'kubernetes batch/v1',
  PodScheduled: 'kubernetes v1',
  NamespaceContentRemaining: 'kubernetes v1',
  NamespaceDeletionDiscoveryFailure: 'kubernetes v1',
  NamespaceFinalizersRemaining: 'kubernetes v1',
  Progressing: 'kubernetes apps/v1',
  ReplicaFailure: 'kubernetes apps/v1',
};

/** The files that compare observedGeneration with the generation of an object. */
const policy = 'kubestellar pkg/binding/binding.go:111' as const;
const binding = 'kubestellar pkg/transport/generic/generic_transport_controller.go:700' as const;
const observed: Written = {
  'ocm/orphan-works.ts': `${work}/manifestcontroller/manifestwork_reconciler.go:107`,
  'kube/pods.ts': 'kubernetes apps/v1',
  'maintenance/repair-space.ts': 'kubeflex internal/controller/controlplane_controller.go:123',
  'kube/scaling.ts': 'kubernetes apps/v1',
  'maintenance/restart-plan.ts': policy,
  'maintenance/restart-wds.ts': binding,
  'maintenance/roll-out.ts': 'kubernetes apps/v1',
  'spaces/upgrade-its.ts':
    'ocm pkg/operator/operators/clustermanager/controllers/clustermanagercontroller/clustermanager_controller.go:317',
  'spaces/choose/works-of-policy.ts': binding,
  'wecs/upgrade.ts': `${klusterlet}/klusterletcontroller/klusterlet_controller.go:469`,
  'workloads/policy/policy-view.ts': binding,
  // As far as a kind has it: what a WEC has returned.
  'workloads/status/returned-status.ts': 'kubernetes apps/v1',
  'forecast/read-policies.ts': policy,
  'workloads/delivery/workload.ts': 'kubernetes apps/v1',
  'workloads/delivery/stages-in-wds.ts': policy,
  'workloads/delivery/stages-on-wec.ts': binding,
  'workloads/delivery/what-stops.ts': binding,
  'workloads/delivery/works.ts': `${work}/manifestcontroller/manifestwork_reconciler.go:107`,
};

/** Other fields in the status of their objects. */
const fields: Written = {
  appliedResources: `${work}/manifestcontroller/appliedmanifestwork_reconciler.go:99`,
  decisions: 'ocm pkg/placement/controllers/scheduling/scheduling_controller.go:611',
  errors: `${binding}; kubestellar pkg/status/statuscollector.go:148, pkg/transport/generic/custom_transform_collection.go:180`,
  inClusterKey: 'kubeflex pkg/reconcilers/shared/reconciler.go:149',
  kubernetes: `${registration}/spoke/managedcluster/resource_reconcile.go:97`,
  manifests: `${work}/manifestcontroller/manifestwork_reconciler.go:100`,
  postCreateHookCompleted: 'kubeflex pkg/reconcilers/shared/postcreate_hook.go:195',
  postCreateHooks: 'kubeflex pkg/reconcilers/shared/postcreate_hook.go:178',
  resourceStatus: `${work}/manifestcontroller/manifestwork_reconciler.go:100`,
  secretRef: 'kubeflex pkg/reconcilers/shared/reconciler.go:145',
  version: `${registration}/spoke/managedcluster/resource_reconcile.go:49`,
  warnings: 'kubestellar pkg/transport/generic/custom_transform_collection.go:176',
};

/** What is read of their objects. */
const isDeclaring = (file: string) =>
  /^ocm\/model\/(?:\w+-objects|kubestellar-names|manifest-works)\.ts$/.test(file);

const root = path.resolve(import.meta.dirname, '../../../../src/lib');
const sources = globSync('**/*.ts', { cwd: root }).map(
  (file) => [file, readFileSync(path.join(root, file), 'utf8')] as const,
);
const found = (pattern: RegExp) =>
  [
    ...new Set(
      sources.flatMap(([, text]) => [...text.matchAll(pattern)].map(([, name = '']) => name)),
    ),
  ].sort();

test('each condition that is judged has a program that writes it', () => {
  const judged =
    /(?:\b(?:conditionOf|isTrue|isObserved|condition|ofNamespace)\([^;]*?|\btype === |Type = |\btypes? === )'([A-Z]\w+)'/g;
  const ofConditions = found(judged).filter(
    (name) => !['COUNT', 'Number', 'ReadOnly', 'True'].includes(name),
  );
  assert.deepEqual(ofConditions, Object.keys(conditions).sort());
});

test('each generation that is compared has a program that writes it', () => {
  const files = sources.flatMap(([file, text]) =>
    /observedGeneration|\bisRead\(/.test(text) &&
    !isDeclaring(file) &&
    file !== 'kube/client/objects.ts'
      ? [file]
      : [],
  );
  assert.deepEqual(files.sort(), Object.keys(observed).sort());
});

test('each field of a status of OCM, KubeFlex and KubeStellar that is read has a program that writes it', () => {
  // The rest are types of Kubernetes.
  const declared = sources
    .filter(([file]) => isDeclaring(file))
    .flatMap(([, text]) => [...text.matchAll(/\bstatus\?: ([^;]*?\{(?:[^{}]|\{[^{}]*\})*\})/gs)])
    .flatMap(([, shape = '']) => [...shape.matchAll(/(\w+)\?: /g)].map(([, name = '']) => name));
  assert.ok(declared.length > 10);
  const known = new Set([...Object.keys(fields), 'conditions', 'observedGeneration']);
  assert.deepEqual(
    declared.filter((name) => !known.has(name)),
    [],
  );
});
