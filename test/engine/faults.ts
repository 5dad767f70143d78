/** What goes wrong with real containers and pods, and what every command says of it: on what `install` has left. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Run } from './run.ts';
import type { Shell } from './shell.ts';

/** How long kubelets, agents and controllers may take to show something; milliseconds. */
const patienceMs = 300_000;

/** Those of README's WECs. */
const contexts = ['kind-cluster1', 'kind-cluster2'];

/** Types a line again until its output is as expected. */
async function until(shell: Shell, line: string, expected: RegExp) {
  const end = performance.now() + patienceMs;
  for (;;) {
    const output = await shell.type(line, 'any');
    if (expected.test(output)) return output;
    if (performance.now() > end)
      throw new Error(`"${line}" does not come to show ${expected}:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 5000));
  }
}

interface FailingPod {
  name: string;
  spec: object;
  /** What `workload get` and `doctor` say. */
  says: RegExp;
}

const container = (more: object) => ({ containers: [{ name: 'c', image: 'nginx', ...more }] });
const shell = (script: string) => ({ command: ['sh', '-c', script] });

const failing: readonly FailingPod[] = [
  {
    name: 'crashes',
    spec: container(shell('echo no configuration; exit 3')),
    says: /keeps crashing \(exit 3, restarted \d+ times\)/,
  },
  {
    name: 'hungry',
    spec: container({ ...shell('tail /dev/zero'), resources: { limits: { memory: '20Mi' } } }),
    says: /keeps being killed \(exit 137, restarted \d+ times\)/,
  },
  {
    name: 'pends',
    spec: container({ resources: { requests: { cpu: '100' } } }),
    says: /cannot be scheduled: .*Insufficient cpu/,
  },
  {
    name: 'unpulled',
    spec: { containers: [{ name: 'c', image: 'ghcr.io/kubestellar/unknown:1' }] },
    says: /the image ghcr\.io\/kubestellar\/unknown:1 cannot be pulled/,
  },
];

const deployment = ({ name, spec }: FailingPod) => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
  metadata: { name, namespace: 'shop', labels: { app: 'shop' } },
  spec: {
    selector: { matchLabels: { run: name } },
    template: { metadata: { labels: { run: name } }, spec },
  },
});

/** Pods that crash, are killed, pend or cannot be pulled: each command names the reason, with a step for the context that it has found. */
async function failingPods({ shell: user }: Run) {
  const items = failing.map(deployment);
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await writeFile(path.join(user.home, 'failing.json'), list);
  await user.type('kubectl --context wds1 apply -f failing.json');
  for (const { name, says } of failing) {
    const withStep = new RegExp(
      `${says.source}[^]*--context kind-cluster1 -n shop (?:logs|describe)`,
    );
    const shown = await until(user, `stellarctl workload get deployment/${name} -n shop`, withStep);
    assert.doesNotMatch(shown, /CONTEXT/);
    await user.type(`stellarctl workload status deployment/${name} -n shop`, 'any');
  }
  await until(
    user,
    'stellarctl workload logs deployment/crashes -n shop --tail 1',
    /no configuration/,
  );
  await user.type('stellarctl doctor', 'any');
  const names = failing.map(({ name }) => `deployment/${name}`).join(' ');
  await user.type(`kubectl --context wds1 -n shop delete ${names}`);
  for (const context of contexts)
    await user.type(`kubectl --context ${context} -n shop wait --for=delete ${names} --timeout 2m`);
}

/** A node that is stopped, as after a restart of the machine. */
async function stoppedNode({ shell: user }: Run) {
  await user.type('docker stop cluster2-control-plane');
  const found = await user.type('stellarctl doctor cluster2=kind-cluster2', 1);
  assert.match(found, /docker start cluster2-control-plane/);
  await user.type('docker start cluster2-control-plane');
  await until(user, 'kubectl --context kind-cluster2 get --raw /readyz', /^ok/);
  await user.type('stellarctl wec wait cluster2 --timeout 10m');
}

/** A kubelet that does not run: its node is named, by the WEC and by what runs on it. */
async function stoppedKubelet({ shell: user }: Run) {
  await user.type('docker exec cluster2-control-plane systemctl stop kubelet');
  const named = /node cluster2-control-plane is not ready: Kubelet stopped posting node status/;
  await until(user, 'stellarctl doctor cluster2=kind-cluster2', named);
  await until(user, 'stellarctl workload get deployment/web -n shop', named);
  await user.type('docker exec cluster2-control-plane systemctl start kubelet');
  await user.type('stellarctl wec wait cluster2=kind-cluster2 --timeout 10m');
  await user.type('stellarctl workload wait deployment/web -n shop --for status');
}

const uid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The UIDs of the pods of README's workload on WECs. */
async function podsOf({ shell: user }: Run, wecs = contexts) {
  const outputs = await Promise.all(
    wecs.map((context) =>
      user.type(
        `kubectl --context ${context} -n shop get pods -l run=web -o 'jsonpath={.items[*].metadata.uid}'`,
      ),
    ),
  );
  return outputs.flatMap((each) => each.match(uid) ?? []).sort();
}

/** A restart of the controllers of a WDS keeps the workloads: the same pods run on. */
async function restarts(run: Run) {
  const before = await podsOf(run);
  assert.equal(before.length, 4);
  await run.shell.type('stellarctl wds guard wds1');
  await run.shell.type('stellarctl wds restart wds1');
  assert.deepEqual(await podsOf(run), before);
  await run.shell.type('stellarctl workload wait deployment/web -n shop --for status');
  assert.deepEqual(await podsOf(run), before);
}

/** KubeStellar tries a label that takes workloads away: the same pods run on where it is taken back, and on the other WEC. */
async function rehearsals(run: Run) {
  const { shell: user } = run;
  const [first, second] = contexts as [string, string];
  const [before, others] = [await podsOf(run), await podsOf(run, [second])];
  const label = 'stellarctl label cluster1 location-group- --its its1';
  const tried = await user.type(`${label} --dry-run --rehearse`);
  assert.match(tried, /KubeStellar makes the Bindings that were foreseen/);
  assert.deepEqual(await podsOf(run), before);
  const written = await user.type(`${label} --yes`);
  assert.match(written, /KubeStellar tries it first/);
  await user.type(`kubectl --context ${first} wait --for=delete namespace/shop --timeout 5m`);
  assert.deepEqual(await podsOf(run, [second]), others);
  await user.type('stellarctl label cluster1 location-group=edge --its its1');
  await user.type('stellarctl workload wait deployment/web -n shop --for status');
  assert.deepEqual(await podsOf(run, [second]), others);
}

export async function faults(run: Run): Promise<void> {
  await failingPods(run);
  await stoppedNode(run);
  await stoppedKubelet(run);
  await restarts(run);
  await rehearsals(run);
}
