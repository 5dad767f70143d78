import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandOf } from '../../../../../src/lib/core/next-step.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import { judgeAdmission, tryHubWebhook } from '../../../../../src/lib/ocm/hub/webhook.ts';
import { fakeKube } from '../../../support/builders.ts';
import { MemoryCluster, pod } from '../../../support/space-builders.ts';
import { matches, stepsOf } from '../../../support/steps.ts';

const hub = 'open-cluster-management-hub';
const name = 'cluster-manager-registration-webhook';
const refused = `Internal error occurred: failed calling webhook "managedclustermutators.admission.cluster.open-cluster-management.io": failed to call webhook: Post "https://${name}.${hub}.svc:9443/mutate-cluster?timeout=5s": dial tcp 10.96.0.7:9443: connect: connection refused`;
const refuses = (status: number, message: string) => async () => {
  throw apiError({ context: 'its1', server: 'https://its1' }, status, JSON.stringify({ message }));
};

/** A hub whose webhook does not answer, with these objects. */
async function silentHub(...objects: object[]) {
  const cluster = new MemoryCluster(objects as KubeObject[], {
    cluster: { context: 'its1', server: 'https://its1' },
    tryCreate: refuses(500, refused),
  });
  const webhook = await tryHubWebhook(cluster.kube);
  assert.ok(webhook.state === 'silent');
  assert.deepEqual(cluster.writes, []);
  return webhook;
}
const deployment = (replicas = 1, ready = 0) => ({
  kind: 'Deployment',
  metadata: { name, namespace: hub },
  spec: { replicas },
  status: { replicas: ready, readyReplicas: ready, updatedReplicas: ready },
});
const podOf = (options: Parameters<typeof pod>[1]) => ({
  kind: 'Pod',
  ...pod(`${name}-1`, { namespace: hub, ...options }),
});

describe("a hub's webhook for ManagedClusters", () => {
  test('answers if an unstored object passes, or if the webhook itself rejects it', async () => {
    let tried: object | undefined;
    const tryCreate = async (_resource: object, object: object) => {
      tried = object;
    };
    assert.deepEqual(await tryHubWebhook(fakeKube({ tryCreate })), { state: 'answers' });
    assert.match(JSON.stringify(tried), /"kind":"ManagedCluster".*"hubAcceptsClient":false/);
    const denied =
      'admission webhook "managedclustervalidators.admission.x" denied the request: user may not';
    assert.deepEqual(judgeAdmission({ status: 403, words: denied }), { state: 'answers' });
  });

  test('is unseen without permission to create ManagedClusters, neither fine nor dead', () => {
    const words =
      'managedclusters.cluster.open-cluster-management.io is forbidden: User "jane" cannot create resource';
    assert.deepEqual(judgeAdmission({ status: 403, words }), {
      state: 'unseen',
      why: 'this user may not create ManagedClusters',
    });
    assert.equal(judgeAdmission({ status: 422, words: 'invalid' })?.state, 'unseen');
  });

  test('does not answer if the API server could not call it, or not in time', () => {
    assert.equal(judgeAdmission({ status: 500, words: refused }), undefined);
    assert.equal(
      judgeAdmission({ status: 504, words: 'Timeout: request did not complete' }),
      undefined,
    );
  });

  test('that does not answer is restarted if its pods look healthy or may not be seen', async () => {
    const restart = `kubectl --context its1 -n ${hub} rollout restart deployment ${name}`;
    const webhook = await silentHub(deployment(1, 1), podOf({ ready: true }));
    const { why, next } = webhook;
    assert.equal(why, "OCM's webhook for ManagedClusters does not answer (connection refused)");
    assert.deepEqual([commandOf(next), stepsOf(webhook)], [restart, `Restart it: ${restart}`]);
    const blind = new MemoryCluster([], {
      cluster: { context: 'its1', server: '' },
      tryCreate: refuses(500, refused),
    });
    blind.forbidden.add('pods').add('deployments');
    const unseen = await tryHubWebhook(blind.kube);
    assert.ok(unseen.state === 'silent');
    assert.equal(commandOf(unseen.next), restart);
  });

  test('that has no pods, or cannot start, or starts, is reported with the command', async () => {
    assert.match(
      (await silentHub()).why,
      /there is no Deployment open-cluster-management-hub\/cluster-manager-reg/,
    );
    matches(
      commandOf((await silentHub(deployment(0))).next),
      /scale deployment cluster-manager-registration-webhook --replicas 1$/,
    );
    const crashing = podOf({
      waiting: { reason: 'CrashLoopBackOff' },
      restarts: 4,
      lastExitCode: 1,
    });
    const crash = await silentHub(deployment(), crashing);
    assert.match(
      crash.why,
      /does not answer: it does not start: pod \S+-1, container main: it keeps crashing \(exit 1/,
    );
    matches(commandOf(crash.next), /-n open-cluster-management-hub logs \S+-1 -c main --previous$/);
    assert.match(
      (await silentHub(deployment(), podOf({}))).why,
      /does not answer: it is starting$/,
    );
  });

  test("of another product is named, and OCM's own is not restarted for it", async () => {
    const words =
      'failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://k:443/v": EOF';
    const webhook = await tryHubWebhook(fakeKube({ tryCreate: refuses(500, words) }));
    assert.ok(webhook.state === 'silent');
    assert.match(
      webhook.why,
      /validate\.kyverno\.svc-fail, which is not OCM's, does not answer .*EOF/,
    );
    assert.doesNotMatch(stepsOf(webhook), /rollout/);
  });
});
